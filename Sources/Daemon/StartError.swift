public import Configuration

/// Why a daemon whose configuration is right cannot start: the system refuses something that a line of it asks for.
public struct StartError: Error, Sendable, CustomStringConvertible {
    /// The line that asks for it; `nil` when no line does.
    public let location: SourceLocation?
    /// What was refused, and what to do.
    public let message: String

    /// An error of these parts.
    public init(at location: SourceLocation?, _ message: String) {
        self.location = location
        self.message = message
    }

    /// `FILE:LINE:COLUMN: error: …`, or `error: …`.
    public var description: String {
        location.map { "\($0): error: \(message)" } ?? "error: \(message)"
    }
}
