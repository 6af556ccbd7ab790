internal import DequeModule
internal import Forwarding

/// Questions that wait: a line for each client, and clients take turns.
struct UserQuestions {
    /// Questions that wait at most, of one client and of all.
    static let mostOfOne = 16
    static let most = 256

    private var lines: [ClientKey: Deque<UserQuestion>] = [:]
    private var turns = Deque<ClientKey>()
    private(set) var count = 0

    /// Takes a question in.
    ///
    /// - Returns: the one that finds no place: the question itself when its client has many already, or else the last of the
    ///   client that has the most.
    mutating func add(_ question: UserQuestion) -> UserQuestion? {
        let own = lines[question.client]?.count ?? 0
        guard own < Self.mostOfOne else { return question }
        var turnedAway: UserQuestion?
        if count >= Self.most {
            guard let longest = lines.max(by: { $0.value.count < $1.value.count }), longest.value.count > own + 1
            else { return question }
            turnedAway = lines[longest.key]?.popLast()
            count -= 1
        }
        if own == 0 { turns.append(question.client) }
        lines[question.client, default: []].append(question)
        count += 1
        return turnedAway
    }

    /// Takes the next question out.
    mutating func next() -> UserQuestion? {
        guard let client = turns.popFirst(), let question = lines[client]?.popFirst() else { return nil }
        count -= 1
        if lines[client]?.isEmpty == true { lines[client] = nil } else { turns.append(client) }
        return question
    }
}
