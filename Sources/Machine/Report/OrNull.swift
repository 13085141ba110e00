// SPDX-License-Identifier: Apache-2.0

/// A member that is there as null where its value is not known. Swift would leave it out.
@propertyWrapper
struct OrNull<Value> {
  var wrappedValue: Value?

  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }
}

extension OrNull: Encodable where Value: Encodable {
  func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension OrNull: Equatable where Value: Equatable {}
extension OrNull: Sendable where Value: Sendable {}
