/// What a parser answers about the bytes that have come so far.
///
/// Parsers never read past what they are given, keep nothing between two calls, and answer `needMore` for every prefix of
/// a valid message.
public enum Parsed<Value, Fault: Error> {
    /// A whole message, and how many of the bytes it took. What follows belongs to somebody else.
    case complete(Value, length: Int)
    /// Valid so far, and not all of it.
    case needMore
    /// No continuation can make this valid.
    case malformed(Fault)
}

extension Parsed: Equatable where Value: Equatable, Fault: Equatable {}
extension Parsed: Sendable where Value: Sendable, Fault: Sendable {}

extension Parsed {
    /// The same answer with another value.
    func map<Other>(_ transform: (Value) -> Other) -> Parsed<Other, Fault> {
        switch self {
        case .complete(let value, let length): .complete(transform(value), length: length)
        case .needMore: .needMore
        case .malformed(let fault): .malformed(fault)
        }
    }
}
