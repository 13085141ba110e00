// SPDX-License-Identifier: Apache-2.0

/// The style sheet of pages and pictures, by day and by night.
enum Style {
  private static let day = """
    --paper:#fff;--panel:#f5f6f8;--ink:#1b2027;--faint:#5c6672;--rule:#d9dde3;--bare:#4d7c4a;--kvm:#c2571a;\
    --apus:#1769c2;--document:#8350b5;--otherDocument:#a08a2c;--bad:#b3261e
    """
  private static let night = """
    --paper:#14181d;--panel:#1d232a;--ink:#e6e9ed;--faint:#98a3b0;--rule:#323a44;--bare:#82bd7d;--kvm:#f0935a;\
    --apus:#6cb0ff;--document:#c49bf0;--otherDocument:#d6c068;--bad:#ff8a80
    """
  private static let colours =
    ":root{color-scheme:light dark;\(day)}\n@media(prefers-color-scheme:dark){:root{\(night)}}\n"

  /// Of the parts of a picture.
  private static let parts =
    "svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .tick,svg .axis{fill:var(--faint)}"
    + "svg .grid{stroke:var(--rule);stroke-width:1}svg .line{fill:none;stroke-width:1.6}"
    + "svg .latest{stroke-width:1.2;stroke-dasharray:3 3}svg .area{stroke:none;opacity:.13}"
    + "svg .hover{fill:transparent}svg .hover:hover{fill:var(--faint);opacity:.18}"
    + "svg .paper{fill:var(--paper)}\n"
    + Series.allCases.map { series in
      let name = series.rawValue
      return "svg .line.\(name),svg .latest.\(name){stroke:var(--\(name))}"
        + "svg .area.\(name),svg .bar.\(name){fill:var(--\(name))}\n"
    }.joined()

  /// Of a picture that is a file of its own.
  static let picture = colours + parts

  static let page =
    colours + parts + """
      *{box-sizing:border-box}
      body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
      main,header,nav{max-width:1000px;margin:0 auto;padding:0 16px}
      header{padding-top:28px}
      h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4em}
      h2{font-size:1.2rem;margin:2.2em 0 .5em;padding-top:.7em;border-top:1px solid var(--rule)}
      p{margin:.6em 0;max-width:74ch}
      nav{font-size:.88rem;padding-top:6px}
      nav a{display:inline-block;margin:0 1em .2em 0}
      a{color:var(--apus)}
      .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:12px;margin:1em 0}
      .card{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
      .card b{display:block;font-size:1.55rem;line-height:1.25;color:var(--apus);font-variant-numeric:tabular-nums}
      .card span{display:block;font-size:.85rem;color:var(--faint)}
      figure{margin:1.2em 0}
      figcaption,caption{font-size:.9rem;font-weight:600;text-align:left;margin-bottom:.3em;padding:0}
      svg{display:block;width:100%;height:auto}
      svg.narrow{display:none}
      .scroll{overflow-x:auto;margin:1em 0}
      table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
      caption{padding-bottom:.3em}
      th,td{padding:.28em .8em .28em 0;text-align:right;border-bottom:1px solid var(--rule);vertical-align:top}
      th{font-weight:600;color:var(--faint)}
      .word{text-align:left}
      td.word:first-child{min-width:9em}
      .notes{font-size:.85rem;color:var(--faint);padding-left:1.2em;max-width:84ch}
      .missing{border-left:3px solid var(--bad);padding-left:10px;font-size:.92rem}
      footer{height:48px}
      @media(max-width:640px){svg.wide{display:none}svg.narrow{display:block}h1{font-size:1.35rem}}

      """
}
