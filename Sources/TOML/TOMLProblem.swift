/// One thing wrong with a text that is TOML but not what its reader expects.
public struct TOMLProblem: Sendable, Equatable {
    /// Where.
    public let location: TOMLLocation
    /// What is wrong.
    public let message: String
    /// What to write instead.
    public let remedy: String

    /// A problem as it will be shown.
    public init(at location: TOMLLocation, _ message: String, _ remedy: String) {
        self.location = location
        self.message = message
        self.remedy = remedy
    }
}

/// Thrown by what reads one value: what is wrong with it, and what to write instead.
public struct TOMLBadValue: Error, Equatable {
    /// What is wrong.
    public let message: String
    /// What to write instead.
    public let remedy: String

    /// A refusal of one value.
    public init(_ message: String, _ remedy: String) {
        self.message = message
        self.remedy = remedy
    }
}

/// Collects every problem of a run, and which keys the readers knew.
public final class TOMLProblems {
    /// In the order in which they were found.
    public private(set) var list: [TOMLProblem] = []
    /// For each kind of table ("[daemon]", "[[relay]]", …), the keys that its reader knows.
    public private(set) var knownKeys: [String: Set<String>] = [:]
    /// False while what is read is known to be incomplete, so that absence proves nothing.
    public var reportsMissing = true

    /// An empty list.
    public init() {}

    /// Adds a problem.
    public func report(_ problem: TOMLProblem) {
        list.append(problem)
    }

    /// Adds a problem.
    public func report(at location: TOMLLocation, _ message: String, _ remedy: String) {
        list.append(TOMLProblem(at: location, message, remedy))
    }

    func note(keys: [String], of table: String) {
        knownKeys[table, default: []].formUnion(keys)
    }
}
