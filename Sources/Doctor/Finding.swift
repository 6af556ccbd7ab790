/// How good what was found is.
public enum Verdict: String, Sendable, Hashable, Comparable {
    /// Nothing to mend (or nothing that could be looked at; the text says so).
    case pass = "PASS"
    /// Multipath works, but worse than it could, or only as long as nothing happens.
    case warn = "WARN"
    /// Multipath does not work.
    case fail = "FAIL"

    /// The worse one is greater.
    public static func < (a: Verdict, b: Verdict) -> Bool { a.severity < b.severity }

    private var severity: Int {
        switch self {
        case .pass: 0
        case .warn: 1
        case .fail: 2
        }
    }
}

/// What mends a finding.
public enum Remedy: Sendable, Hashable {
    /// A shell command that mends it now.
    case command(String)
    /// A shell command that keeps it mended after a reboot.
    case lasting(String)
    /// What a person has to do or to write: a setting of the configuration, something at the peer.
    case advice(String)

    /// The word before it in the report.
    public var label: String {
        switch self {
        case .command: "fix"
        case .lasting: "keep"
        case .advice: "do"
        }
    }

    /// The command, or the advice.
    public var text: String {
        switch self {
        case .command(let text), .lasting(let text), .advice(let text): text
        }
    }
}

/// One thing that was looked at.
public struct Finding: Sendable, Hashable {
    /// How good it is.
    public var verdict: Verdict
    /// The check's name, fixed, such as `rp-filter`.
    public var check: String
    /// What was found: one line, without a full stop.
    public var found: String
    /// What mends it; empty when it passes.
    public var remedies: [Remedy]

    /// A finding of its parts.
    public init(_ verdict: Verdict, _ check: String, _ found: String, _ remedies: [Remedy] = []) {
        self.verdict = verdict
        self.check = check
        self.found = found
        self.remedies = remedies
    }
}
