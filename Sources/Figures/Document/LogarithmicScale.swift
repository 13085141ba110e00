// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A logarithmic axis: values between two bounds, both above 0, on a length.
struct LogarithmicScale {
  let range: ClosedRange<Double>
  let length: Double

  /// 0 at the lower bound, `length` at the upper one. What lies beyond is put on the bound.
  func position(_ value: Double) -> Double {
    let value = min(max(value, range.lowerBound), range.upperBound)
    let whole = log(range.upperBound / range.lowerBound)
    return whole > 0 ? length * log(value / range.lowerBound) / whole : 0
  }

  /// Round values to write beside the axis: powers of ten, and where `wanted` asks for more of them,
  /// 2 and 5 times such, or 1 to 9 times.
  func marks(wanted: Int) -> [Double] {
    let tens = values([1])
    if tens.count >= wanted { return tens }
    let more = values([1, 2, 5])
    return more.count >= wanted ? more : values((1...9).map(Double.init))
  }

  private func values(_ factors: [Double]) -> [Double] {
    var values: [Double] = []
    var power = pow(10, floor(log10(range.lowerBound)))
    while power <= range.upperBound {
      values += factors.map { $0 * power }.filter(range.contains)
      power *= 10
    }
    return values
  }

  /// A mark's label: 1, 10, 1k, 1M.
  static func label(_ value: Double) -> String {
    switch value {
    case 1e6...: "\(Int(value / 1e6))M"
    case 1e3...: "\(Int(value / 1e3))k"
    case 1...: "\(Int(value))"
    default: Text.decimal(value, places: 1)
    }
  }
}
