internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// The new process's side of a takeover: it gets the listening sockets of the running daemon, opens what it lacks, and
/// when it accepts, the old one stops to, and finishes its connections.
struct Takeover: ~Copyable {
    /// What goes over the channel.
    enum Word {
        static let listener = "listener "
        static let held = "lifeline held"
        static let watched = "lifeline watched"
        static let end = "end"
        static let admin = "admin"
        static let done = "done"
        static let unwanted = "unwanted "
        static let ready = "ready"
        static let handed = "handed"
    }

    /// What the environment of a process names that its predecessor has started: the descriptor of the channel between them.
    static let variable = "BRAID_TAKEOVER"

    /// How long the other process may take to answer.
    static let patience: CInt = 10_000

    private let channel: DescriptorChannel
    private var held: DescriptorChannel?
    private var watched: DescriptorChannel?

    private init(_ channel: consuming DescriptorChannel) {
        self.channel = channel
        held = nil
        watched = nil
    }

    /// Where a daemon with this admin socket can be asked.
    static func path(adminSocket: String) -> String { adminSocket + ".takeover" }

    /// Asks the daemon that started this process, or else the one that runs; `nil` when there is none.
    static func begin(_ path: String, environment: [String: String]) throws(StartError) -> Takeover? {
        if let number = environment[variable] {
            guard let raw = CInt(number), raw > 2,
                let channel = DescriptorChannel.adopting(Descriptor(owning: raw))
            else { throw StartError(at: nil, "cannot take over: \(variable) is \"\(number)\", which is no channel") }
            return Takeover(channel)
        }
        do throws(Errno) {
            return Takeover(try DescriptorChannel.connect(toPath: path))
        } catch .noSuchFileOrDirectory {
            return nil
        } catch .connectionRefused {
            return nil
        } catch {
            throw StartError(at: nil, "cannot take over: \(path): \(error)")
        }
    }

    /// Its listening sockets, under the names of the service manager's store.
    mutating func listeners() throws(StartError) -> InheritedSockets {
        var names: [String] = []
        var descriptors: [CInt] = []
        do throws(Errno) {
            while let message = try channel.receive(waiting: Self.patience) {
                let text = message.text
                if text == Word.end { return InheritedSockets.adopting(names: names, descriptors: descriptors) }
                guard let descriptor = message.takeDescriptor() else { continue }
                switch text {
                case Word.held: held = DescriptorChannel.adopting(descriptor)
                case Word.watched: watched = DescriptorChannel.adopting(descriptor)
                default:
                    guard text.hasPrefix(Word.listener) else { continue }
                    names.append(DescriptorStore.inheritedName(of: String(text.dropFirst(Word.listener.utf8.count))))
                    descriptors.append(descriptor.release())
                }
            }
            throw .connectionReset
        } catch {
            _ = InheritedSockets.adopting(names: names, descriptors: descriptors)
            throw StartError(at: nil, "cannot take over: the running daemon did not hand its sockets out: \(error)")
        }
    }

    /// What tells those that have handed over how the process is that serves.
    mutating func lifeline() -> Lifeline { Lifeline(held: held.take(), watched: watched.take()) }

    /// Has the old process give its admin sockets up, so that this one can open its own.
    func releaseAdmin() throws(StartError) { try ask(Word.admin, Word.done) }

    /// This process accepts now: the old one stops to.
    ///
    /// - Parameter unwanted: the names of its listeners at which nobody listens any more.
    func complete(unwanted: [String]) throws(StartError) {
        do throws(Errno) {
            for name in unwanted { try channel.send(Word.unwanted + name, waiting: Self.patience) }
        } catch {
            throw StartError(at: nil, "cannot take over: the running daemon does not hear: \(error)")
        }
        try ask(Word.ready, Word.handed)
    }

    private func ask(_ question: String, _ answer: String) throws(StartError) {
        do throws(Errno) {
            try channel.send(question)
            guard let message = try channel.receive(waiting: Self.patience), message.text == answer else {
                throw .connectionReset
            }
        } catch {
            throw StartError(at: nil, "cannot take over: the running daemon does not answer: \(error)")
        }
    }
}
