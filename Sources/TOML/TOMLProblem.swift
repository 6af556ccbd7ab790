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
    /// In the order in which they were found; at most ``maximum``, for nobody reads more.
    public private(set) var list: [TOMLProblem] = []
    /// How many values could not be used, whether reported here or before: two equal counts mean that what was read
    /// between them is complete.
    public private(set) var faultCount = 0
    /// For each kind of table ("[daemon]", "[[relay]]", …), the keys that its reader knows.
    public private(set) var knownKeys: [String: Set<String>] = [:]
    /// For each kind of table, those of its known keys that were found in at least one.
    public private(set) var foundKeys: [String: Set<String>] = [:]
    /// False while what is read is known to be incomplete, so that absence proves nothing.
    public var reportsMissing = true

    /// How many problems are kept.
    public static let maximum = 1000

    /// An empty list.
    public init() {}

    /// Adds a problem.
    public func report(_ problem: TOMLProblem) {
        faultCount += 1
        if list.count < Self.maximum { list.append(problem) }
    }

    /// Adds a problem.
    public func report(at location: TOMLLocation, _ message: String, _ remedy: String) {
        report(TOMLProblem(at: location, message, remedy))
    }

    func note(known: [String], found: some Sequence<String>, of table: String) {
        knownKeys[table, default: []].formUnion(known)
        foundKeys[table, default: []].formUnion(found)
    }

    /// Counts a value that was reported when it became unusable.
    func noteUnusable() {
        faultCount += 1
    }
}
