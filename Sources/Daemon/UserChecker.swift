internal import Credentials
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// A client says who it is.
struct UserQuestion: Sendable {
    let loop: Int
    let relay: Int
    let request: UInt64
    let client: ClientKey
    let name: [UInt8]
    var password: [UInt8]
}

/// Compares passwords with their hashes on a thread of its own: that is slow on purpose, and nobody else shall wait for it.
///
/// A password that was right is right for a while without hashing it again; it is remembered as a keyed digest only. Others
/// wait, and clients take turns: who guesses keeps only himself waiting.
final class UserChecker: Sendable {
    /// How long a right password is remembered, in nanoseconds.
    private static let memory: UInt64 = 300_000_000_000

    /// By relay id.
    private let users = Mutex<[Int: UsersFile]>([:])
    private let isRunning = Atomic<Bool>(false)
    private let loops: [LoopShared]
    private let logger: Logger
    private let questions = Mutex(UserQuestions())
    private let remembered = Mutex<[[UInt8]: MonotonicTime]>([:])
    private let wake: EventCounter
    private let key = Secrets.random(32)

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    init(_ loops: [LoopShared], logger: Logger) throws(Errno) {
        self.loops = loops
        self.logger = logger
        wake = try EventCounter()
    }

    /// The users of a relay from now on; `nil` when it has none or is gone.
    func set(_ file: UsersFile?, relay: Int) {
        users.withLock { $0[relay] = file }
    }

    /// Relays that have users.
    var relays: [Int] { users.withLock { Array($0.keys) } }

    /// Puts a question; the loop gets its answer as a command.
    func check(_ question: UserQuestion) {
        if isRemembered(question) { return answer(question, .right) }
        if let turnedAway = questions.withLock({ $0.add(question) }) { answer(turnedAway, .notLookedAt) }
        wake.raise()
        // The first question starts the thread; it ends with the process and holds nothing that would have to be given back.
        guard !isRunning.exchange(true, ordering: .relaxed) else { return }
        do throws(Errno) {
            try Thread(name: "braid-users") { self.run() }.detach()
        } catch {
            isRunning.store(false, ordering: .relaxed)
            logger.error("names and passwords cannot be looked at: no thread for it: \(error)")
            turnAll()
        }
    }

    private func answer(_ question: UserQuestion, _ verdict: UserVerdict) {
        loops[question.loop].send(.userChecked(request: question.request, verdict))
    }

    /// Nobody can be checked, and so nobody gets in.
    private func turnAll() {
        while let question = next() { answer(question, .notLookedAt) }
    }

    private func run() {
        do throws(Errno) {
            var poller = try Poller(capacity: 1)
            try poller.add(wake.descriptor.raw, .readable, EventToken(slot: 0, tag: 0))
            while true {
                _ = try poller.wait(milliseconds: -1)
                wake.clear()
                while let question = next() { look(at: question) }
            }
        } catch {
            // The next question begins another thread.
            logger.error("names and passwords cannot be looked at: \(error)")
            isRunning.store(false, ordering: .relaxed)
            turnAll()
        }
    }

    private func next() -> UserQuestion? { questions.withLock { $0.next() } }

    private func look(at asked: UserQuestion) {
        var question = asked
        defer { Secrets.wipe(&question.password) }
        guard let file = users.withLock({ $0[question.relay] }) else { return answer(question, .wrong) }
        let isRight = file.verify(name: question.name, password: question.password)
        if isRight { remember(question) }
        answer(question, isRight ? .right : .wrong)
    }

    // MARK: What is remembered

    private func digest(_ question: UserQuestion) -> [UInt8] {
        // The relay's id is another one after a reload: what another file says is looked at anew.
        var text = Array("\(question.relay) \(question.name.count) ".utf8) + question.name + question.password
        defer { Secrets.wipe(&text) }
        return Secrets.authenticationCode(text, key: key)
    }

    private func isRemembered(_ question: UserQuestion) -> Bool {
        guard remembered.withLock({ !$0.isEmpty }), users.withLock({ $0[question.relay] != nil }) else { return false }
        let digest = digest(question)
        let now = MonotonicTime.now()
        return remembered.withLock { $0[digest].map { $0 > now } ?? false }
    }

    private func remember(_ question: UserQuestion) {
        let digest = digest(question)
        let now = MonotonicTime.now()
        remembered.withLock { remembered in
            remembered = remembered.filter { $0.value > now }
            remembered[digest] = now + Self.memory
        }
    }
}
