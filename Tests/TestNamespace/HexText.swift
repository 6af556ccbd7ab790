/// Bytes as hexadecimal text with remarks: what is after `#` in a line does not count, nor do spaces.
public func hex(_ text: String) -> [UInt8] {
    let digits = text.split(separator: "\n")
        .flatMap { $0.prefix { $0 != "#" } }
        .filter { !$0.isWhitespace }
        .map { UInt8($0.hexDigitValue ?? 0) }
    precondition(digits.count.isMultiple(of: 2), "half a byte in a test's hexadecimal text")
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Changes bytes at random, always the same way for a seed: for tests that wrong bytes do no harm.
public struct Mutations {
    private var state: UInt64

    /// - Parameter seed: what decides the changes.
    public init(seed: UInt64) { state = seed }

    private mutating func next(below limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(limit))
    }

    /// A copy with one to four bytes changed, and now and then some removed or inserted.
    public mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var copy = bytes
        for _ in 0...next(below: 4) where !copy.isEmpty {
            let place = next(below: copy.count)
            switch next(below: 8) {
            case 0: copy.remove(at: place)
            case 1: copy.insert(UInt8(next(below: 256)), at: place)
            case 2: copy[place] = [0, 1, 4, 0x7F, 0x80, 0xFF][next(below: 6)]
            default: copy[place] = UInt8(next(below: 256))
            }
        }
        return copy
    }
}
