import TOML

/// One error in a configuration. Prints as `FILE:LINE:COLUMN: error: what is wrong; what to write instead`.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    /// Where.
    public let location: SourceLocation
    /// What is wrong.
    public let message: String
    /// What to write instead; empty when there is nothing to say.
    public let remedy: String

    /// An error at `location`.
    public init(at location: SourceLocation, _ message: String, _ remedy: String = "") {
        self.location = location
        self.message = message
        self.remedy = remedy
    }

    init(_ problem: TOMLProblem) {
        self.init(at: SourceLocation(problem.location), problem.message, problem.remedy)
    }

    /// One line, safe for a terminal: control characters of the file are shown as escapes.
    public var description: String {
        let text = "\(location): error: \(message)" + (remedy.isEmpty ? "" : "; \(remedy)")
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

/// Why a configuration cannot be used: every error that was found in one run.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Never empty. The main file's errors come first, each file's in the order of its lines.
    public let diagnostics: [Diagnostic]

    /// An error made of these.
    public init(diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    /// One line for each error.
    public var description: String {
        diagnostics.map(\.description).joined(separator: "\n")
    }
}
