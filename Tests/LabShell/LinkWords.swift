import ArgumentParser
import Lab

/// Reads rates, delays, fractions and sizes as people write them.
enum LinkWords {
    static func rate(_ text: String) throws -> Rate {
        if text == "unlimited" { return .unlimited }
        let bits = try number(
            text, units: ["gbit": 1e9, "mbit": 1e6, "kbit": 1e3, "bit": 1], what: "a rate like 50mbit")
        guard bits >= 1 else { throw ValidationError("\"\(text)\": a rate is at least 1bit, or unlimited") }
        return Rate(bitsPerSecond: Int(bits))
    }

    static func delay(_ text: String) throws -> Duration {
        .microseconds(try number(text, units: ["us": 1, "ms": 1e3, "s": 1e6], what: "a delay like 10ms"))
    }

    static func loss(_ text: String) throws -> Double {
        let fraction = try number(text, units: ["%": 0.01, "": 1], what: "a loss like 0.01 or 1%")
        guard fraction <= 1 else { throw ValidationError("\"\(text)\": a loss is at most 100%") }
        return fraction
    }

    static func size(_ text: String) throws -> Int {
        let bytes = try number(text, units: ["k": 1024, "m": 1024 * 1024, "": 1], what: "a size like 64k")
        guard bytes >= 1 else { throw ValidationError("\"\(text)\": a queue holds at least one byte") }
        return Int(bytes)
    }

    static func direction(_ text: String) throws -> LinkDirection {
        switch text {
        case "up": return .aToB
        case "down": return .bToA
        case "both": return .both
        default: throw ValidationError("\"\(text)\" is no direction: up (from near to far), down or both")
        }
    }

    /// Tries the longest unit first, so that "ms" is not taken for "s".
    private static func number(_ text: String, units: [String: Double], what: String) throws -> Double {
        let lower = text.lowercased()
        for (unit, factor) in units.sorted(by: { $0.key.count > $1.key.count }) where lower.hasSuffix(unit) {
            if let value = Double(lower.dropLast(unit.count)), value >= 0, value * factor <= 1e12 {
                return value * factor
            }
            break
        }
        throw ValidationError("\"\(text)\" is not \(what)")
    }
}
