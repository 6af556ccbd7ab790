/// Quantities as people read them: three digits and a unit, in columns that stay aligned.
enum Units {
    /// `0 B`, `999 B`, `1.23 kB`, `45.6 MB`.
    static func bytes(_ count: UInt64) -> String { scaled(Double(count), "B") }

    /// `0 bit/s`, `12.3 Mbit/s`.
    static func rate(bytesPerSecond: Double) -> String { scaled(max(0, bytesPerSecond) * 8, "bit/s") }

    /// `0.12 ms`, `20.4 ms`, `1.20 s`.
    static func roundTrip(microseconds: UInt64) -> String {
        let milliseconds = Double(microseconds) / 1000
        return milliseconds < 1000 ? "\(digits(milliseconds)) ms" : "\(digits(milliseconds / 1000)) s"
    }

    /// `5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole / 60 % 60) min"
        default: return "\(whole / 86400) d \(whole / 3600 % 24) h"
        }
    }

    /// `0.4 %`.
    static func share(_ fraction: Double) -> String { "\(fixed(fraction * 100, places: 1)) %" }

    private static func scaled(_ value: Double, _ unit: String) -> String {
        if value < 1000 { return "\(Int(value)) \(unit)" }
        var value = value
        var prefix = ""
        for next in ["k", "M", "G", "T", "P", "E"] where value >= 999.5 {
            value /= 1000
            prefix = next
        }
        return "\(digits(value)) \(prefix)\(unit)"
    }

    /// Three significant digits: `1.23`, `12.3`, `123`.
    private static func digits(_ value: Double) -> String {
        if value < 9.995 { return fixed(value, places: 2) }
        if value < 99.95 { return fixed(value, places: 1) }
        return fixed(value, places: 0)
    }

    private static func fixed(_ value: Double, places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let whole = Int((value * Double(scale)).rounded())
        if places == 0 { return "\(whole)" }
        let fraction = String(whole % scale)
        return "\(whole / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
    }
}
