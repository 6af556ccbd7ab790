internal import Credentials
internal import Forwarding
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// A client says who it is.
struct UserQuestion: Sendable {
    let loop: Int
    let relay: Int
    let request: UInt64
    let name: [UInt8]
    let password: [UInt8]
}

/// Compares passwords with their hashes on a thread of its own: that is slow on purpose, and nobody else shall wait for it.
///
/// A password that was right is right for a while without hashing it again; it is remembered as a keyed digest only.
final class UserChecker: Sendable {
    /// Questions that wait at most; beyond, the answer is no.
    private static let most = 256
    /// How long a right password is remembered, in nanoseconds.
    private static let memory: UInt64 = 300_000_000_000

    /// By relay id.
    private let users = Mutex<[Int: UsersFile]>([:])
    private let isRunning = Atomic<Bool>(false)
    private let loops: [LoopShared]
    private let questions = Mutex<[UserQuestion]>([])
    private let wake: EventCounter
    private let key = Secrets.random(32)

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    init(_ loops: [LoopShared]) throws(Errno) {
        self.loops = loops
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
        let isTaken = questions.withLock { waiting in
            if waiting.count >= Self.most { return false }
            waiting.append(question)
            return true
        }
        guard isTaken else { return answer(question, false) }
        wake.raise()
        // The first question starts the thread; it ends with the process and holds nothing that would have to be given back.
        guard !isRunning.exchange(true, ordering: .relaxed) else { return }
        do throws(Errno) {
            try Thread(name: "braid-users") { self.run() }.detach()
        } catch {
            isRunning.store(false, ordering: .relaxed)
            while let question = next() { answer(question, false) }
        }
    }

    private func answer(_ question: UserQuestion, _ isRight: Bool) {
        loops[question.loop].send(.userChecked(request: question.request, isRight: isRight))
    }

    private func run() {
        do throws(Errno) {
            var poller = try Poller(capacity: 1)
            try poller.add(wake.descriptor.raw, .readable, EventToken(slot: 0, tag: 0))
            var remembered: [[UInt8]: MonotonicTime] = [:]
            while true {
                _ = try poller.wait(milliseconds: -1)
                wake.clear()
                while let question = next() { look(at: question, &remembered) }
            }
        } catch {
            // Without this thread nobody can be checked, and so nobody gets in.
            while true {
                while let question = next() { answer(question, false) }
                var poller = try? Poller(capacity: 1)
                _ = try? poller?.wait(milliseconds: 1000)
            }
        }
    }

    private func next() -> UserQuestion? {
        questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    private func look(at question: UserQuestion, _ remembered: inout [[UInt8]: MonotonicTime]) {
        guard let file = users.withLock({ $0[question.relay] }) else { return answer(question, false) }
        let text = Array("\(question.relay) \(question.name.count) ".utf8) + question.name + question.password
        let digest = Secrets.authenticationCode(text, key: key)
        let now = MonotonicTime.now()
        if let until = remembered[digest], until > now { return answer(question, true) }
        let isRight = file.verify(name: question.name, password: question.password)
        if isRight {
            remembered = remembered.filter { $0.value > now }
            remembered[digest] = now + Self.memory
        }
        answer(question, isRight)
    }
}
