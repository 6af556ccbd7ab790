import Testing
import Wire

/// Parses bytes as an array.
func parse<Value, Fault>(
    _ bytes: [UInt8], _ parser: (Span<UInt8>) -> Parsed<Value, Fault>
) -> Parsed<Value, Fault> {
    parser(bytes.span)
}

/// Checks that a valid message is complete with its length, whatever follows it, and that every prefix needs more.
func expectComplete<Value: Equatable, Fault: Equatable>(
    _ bytes: [UInt8], _ value: Value, _ parser: (Span<UInt8>) -> Parsed<Value, Fault>,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(parse(bytes, parser) == .complete(value, length: bytes.count), sourceLocation: sourceLocation)
    for trailer in [[UInt8](repeating: 0xA5, count: 1), Array("PROXY ".utf8), bytes] {
        #expect(
            parse(bytes + trailer, parser) == .complete(value, length: bytes.count), sourceLocation: sourceLocation)
    }
    for length in 0..<bytes.count {
        #expect(
            parse(Array(bytes[..<length]), parser) == .needMore, "\(length) of \(bytes.count) bytes",
            sourceLocation: sourceLocation)
    }
}

/// Checks that bytes are refused for one reason, and that this never turns into another answer as they arrive: first more
/// is wanted, then it is refused.
func expectMalformed<Value, Fault: Equatable>(
    _ bytes: [UInt8], _ fault: Fault, _ parser: (Span<UInt8>) -> Parsed<Value, Fault>,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var refused = false
    for length in 0...bytes.count {
        switch parse(Array(bytes[..<length]), parser) {
        case .complete(let value, _):
            Issue.record("\(value) from \(length) bytes", sourceLocation: sourceLocation)
            return
        case .needMore:
            if refused {
                Issue.record("wants more than \(length) bytes after a refusal", sourceLocation: sourceLocation)
            }
        case .malformed(let found):
            refused = true
            #expect(found == fault, "\(length) bytes", sourceLocation: sourceLocation)
        }
    }
    if !refused { Issue.record("not refused", sourceLocation: sourceLocation) }
}

extension WireAddress {
    static let one = WireAddress.ipv4(0xC000_0201)
    static let two = WireAddress.ipv4(0xC633_6402)
    static let six = WireAddress.ipv6(0x2001_0DB8_0000_0000_0000_0000_0000_0001)
    static let otherSix = WireAddress.ipv6(0x2001_0DB8_0000_0000_0000_0000_0000_00FF)
}
