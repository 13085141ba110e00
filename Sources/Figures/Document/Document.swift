// SPDX-License-Identifier: Apache-2.0

/// A report as it is read: sections of text, figures, tables and charts. `HTMLPage` and `MarkdownText`
/// show it.
public struct Document: Sendable {
  public var title: String
  /// What it is about, in a sentence or two.
  public var lead: String
  public var sections: [Section] = []

  public init(title: String, lead: String) {
    self.title = title
    self.lead = lead
  }

  public struct Section: Sendable {
    public var title: String
    public var blocks: [Block]

    public init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  public enum Block: Sendable {
    case text(String)
    /// What a reader has to know of the figures above.
    case notes([String])
    /// Figures to be seen first.
    case cards([Card])
    case table(Table)
    case histogram(HistogramPlot)
    case bars(BarPlot)
    /// What was not measured, and how it is.
    case missing(String)
  }

  public struct Card: Sendable {
    public var title: String
    public var value: String
    /// What it is to be compared with.
    public var beside: String

    public init(_ title: String, _ value: String, beside: String) {
      self.title = title
      self.value = value
      self.beside = beside
    }
  }

  public struct Table: Sendable {
    public var caption: String
    public var heading: [String]
    public var rows: [[String]]
    /// Columns of words; all others are numbers, which end at the right.
    public var leftColumns: Set<Int>

    public init(
      _ caption: String, heading: [String], rows: [[String]], leftColumns: Set<Int> = [0]
    ) {
      self.caption = caption
      self.heading = heading
      self.rows = rows
      self.leftColumns = leftColumns
    }
  }
}

/// Whose figures a line or a bar shows: each has its colour everywhere.
public enum Series: String, Sendable, Codable, CaseIterable {
  case bare, kvm, apus
  /// Published by others.
  case document
  /// A second line of such.
  case otherDocument
}
