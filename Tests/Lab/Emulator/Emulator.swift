import CLab
import Glibc
import Synchronization

/// What a link asks of the emulator's thread.
enum EmulatorCommand: Sendable {
    /// Puts a link between two open ports, which the emulator closes in the end. It is cut at first.
    case addLink(ports: [PortHandover], profiles: [LinkProfile], seed: UInt64)
    case set(lane: Int, profile: LinkProfile)
    case setBlackhole(lane: Int, on: Bool)
    case setCut(lane: Int, on: Bool)
    case counters(lane: Int)
    case stop
}

/// What the emulator's thread answers.
struct EmulatorAnswer: Sendable {
    /// Of the lane asked for.
    var counters = LinkCounters()
    /// Of the link added: its lane from A to B. That from B to A is the next.
    var firstLane = 0
}

/// An open port on its way from the thread that opened it to the emulator's thread.
///
/// `@unchecked Sendable`: it is made, put into a command and dropped by one thread, used by the other afterwards;
/// the ring it points to belongs to whoever holds it.
struct PortHandover: @unchecked Sendable {
    var port: clab_port
}

/// The link emulator of a lab: one thread that carries the packets of all its links.
///
/// Concurrency: everything about packets belongs to that thread (`EmulatorLoop`). Other threads put one command at a
/// time into `mailbox`, wake the thread by an eventfd, and wait for its answer: a change is in effect when the
/// call returns.
final class Emulator: Sendable {
    private struct Mailbox {
        var command: EmulatorCommand?
        var answer = EmulatorAnswer()
        var stopped = false
    }

    private let mailbox = Mutex(Mailbox())
    /// Held over a whole exchange.
    private let turn = Mutex(())
    private let wake: Descriptor
    private let answered: Descriptor
    private let thread: Mutex<pthread_t?>

    init() throws(LabError) {
        wake = Descriptor(owning: try checked(clab_event_open(), "emulator: eventfd"))
        answered = Descriptor(owning: try checked(clab_event_open(), "emulator: eventfd"))
        thread = Mutex(nil)
        var started = pthread_t()
        let held = Unmanaged.passRetained(self)
        let error = pthread_create(
            &started, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Emulator>.fromOpaque(context).takeRetainedValue().serve()
                return nil
            }, held.toOpaque())
        if error != 0 {
            held.release()
            throw LabError("emulator: start its thread", errno: error)
        }
        let handle = started
        thread.withLock { $0 = handle }
    }

    /// Ends the thread and closes all ports. Harmless when done already; must be called, for the running thread
    /// keeps this object alive.
    func stop() {
        let running: pthread_t? = thread.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let running {
            perform(.stop)
            pthread_join(running, nil)
        }
    }

    /// Has the emulator's thread do something, and waits until it is done.
    ///
    /// - Returns: What was asked for, if anything was.
    @discardableResult
    func perform(_ command: EmulatorCommand) -> EmulatorAnswer {
        turn.withLock { _ in
            let accepted = mailbox.withLock { box in
                guard !box.stopped else { return false }
                box.command = command
                return true
            }
            guard accepted else { return EmulatorAnswer() }
            _ = clab_event_signal(wake.number)
            var descriptor = pollfd(fd: answered.number, events: Int16(POLLIN), revents: 0)
            while clab_poll(&descriptor, 1, -1) <= 0 {}
            _ = clab_event_clear(answered.number)
            return mailbox.withLock { $0.answer }
        }
    }

    private func serve() {
        clab_prefer_this_thread("lab-emulator")
        var loop = EmulatorLoop(wake: wake.number)
        var running = true
        while running {
            loop.runUntilWoken()
            _ = clab_event_clear(wake.number)
            let command = mailbox.withLock { box in
                defer { box.command = nil }
                return box.command
            }
            guard let command else { continue }
            if case .stop = command {
                running = false
            }
            let answer = loop.perform(command)
            let stopped = !running
            mailbox.withLock { box in
                box.answer = answer
                box.stopped = stopped
            }
            _ = clab_event_signal(answered.number)
        }
    }
}
