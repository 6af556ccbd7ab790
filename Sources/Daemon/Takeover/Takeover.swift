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
        static let end = "end"
        static let admin = "admin"
        static let done = "done"
        static let ready = "ready"
        static let handed = "handed"
    }

    /// How long the old process may take to answer.
    private static let patience: CInt = 10_000

    private let channel: DescriptorChannel

    /// Where a daemon with this admin socket can be asked.
    static func path(adminSocket: String) -> String { adminSocket + ".takeover" }

    /// Asks the running daemon; `nil` when there is none.
    static func begin(_ path: String) throws(StartError) -> Takeover? {
        do throws(Errno) {
            return Takeover(channel: try DescriptorChannel.connect(toPath: path))
        } catch .noSuchFileOrDirectory {
            return nil
        } catch .connectionRefused {
            return nil
        } catch {
            throw StartError(at: nil, "cannot take over: \(path): \(error)")
        }
    }

    /// Its listening sockets, under the names of the service manager's store.
    func listeners() throws(StartError) -> InheritedSockets {
        var names: [String] = []
        var descriptors: [CInt] = []
        do throws(Errno) {
            while let message = try channel.receive(waiting: Self.patience) {
                let text = message.text
                if text == Word.end { return InheritedSockets.adopting(names: names, descriptors: descriptors) }
                guard text.hasPrefix(Word.listener), let descriptor = message.takeDescriptor() else { continue }
                names.append(DescriptorStore.inheritedName(of: String(text.dropFirst(Word.listener.utf8.count))))
                descriptors.append(descriptor.release())
            }
            throw .connectionReset
        } catch {
            _ = InheritedSockets.adopting(names: names, descriptors: descriptors)
            throw StartError(at: nil, "cannot take over: the running daemon did not hand its sockets out: \(error)")
        }
    }

    /// Has the old process give its admin sockets up, so that this one can open its own.
    func releaseAdmin() throws(StartError) { try ask(Word.admin, Word.done) }

    /// This process accepts now: the old one stops to.
    func complete() throws(StartError) { try ask(Word.ready, Word.handed) }

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
