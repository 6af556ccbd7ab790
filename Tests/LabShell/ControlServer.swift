import ArgumentParser
import CLab
import Glibc
import Lab

/// Answers the `lab` command: a Unix socket in a directory of its own, where the command itself is, too.
///
/// Concurrency: all is constant; one thread answers one question after the other.
final class ControlServer: Sendable {
    let hosts: [Host]
    let links: [Link]
    /// Holds the socket and the `lab` command; to be put in front of PATH.
    let directory: String

    var socketPath: String { "\(directory)/control" }

    init(hosts: [Host], links: [Link]) throws {
        self.hosts = hosts
        self.links = links
        var template = Array("/tmp/braid-lab.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ValidationError("cannot make a directory in /tmp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try writeCommand()
        let listener = clab_unix_listen("\(directory)/control")
        guard listener >= 0 else { throw ValidationError("cannot listen at \(directory)/control") }
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(server: self, listener: listener))
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
                job.server.serve(job.listener)
                return nil
            }, job.toOpaque())
        guard error == 0 else {
            job.release()
            throw ValidationError("cannot start a thread")
        }
        pthread_detach(thread)
    }

    /// Removes the directory and what is in it.
    func remove() {
        for name in ["control", "lab"] {
            unlink("\(directory)/\(name)")
        }
        rmdir(directory)
    }

    /// What a developer is told first.
    var greeting: String {
        let names = links.map { "\($0.name) (\($0.address(of: hosts[0])) - \($0.address(of: hosts[1])))" }
        return """
            You are on host near. Host far is at \(links.map { $0.address(of: hosts[1]) }.joined(separator: ", ")).
            Links: \(names.joined(separator: ", ")).

            \(Control.help)
            Without `lab`, $BRAID_LAB_FAR COMMAND… enters host far.
            """
    }

    private final class Job {
        let server: ControlServer
        let listener: CInt

        init(server: ControlServer, listener: CInt) {
            self.server = server
            self.listener = listener
        }
    }

    private func writeCommand() throws {
        guard let program = realpath("/proc/self/exe", nil) else { throw ValidationError("cannot find myself") }
        defer { free(program) }
        let script = "#!/bin/sh\nexec '\(String(cString: program))' control \"$@\"\n"
        let path = "\(directory)/lab"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o700)
        guard file >= 0 else { throw ValidationError("cannot write \(path)") }
        defer { clab_close(file) }
        let bytes = Array(script.utf8)
        guard clab_write(file, bytes, bytes.count) == bytes.count else { throw ValidationError("cannot write \(path)") }
    }

    private func serve(_ listener: CInt) {
        while true {
            let connection = clab_unix_accept(listener)
            guard connection >= 0 else { return }
            let words = readAll(connection).split(separator: "\n").map(String.init)
            let answer: String
            do {
                answer = try self.answer(words)
            } catch {
                answer = "error\n\(error)\n"
            }
            let bytes = Array(answer.utf8)
            // Somebody who asked and left before the answer is nobody to tell.
            _ = clab_write(connection, bytes, bytes.count)
            _ = clab_close(connection)
        }
    }

    private func answer(_ words: [String]) throws -> String {
        if words == ["status"] {
            return "ok\n" + links.map(describe).joined()
        }
        if let host = hosts.first(where: { $0.name == words.first }) {
            return "enter\n\(host.namespacePath)"
        }
        guard words.count >= 4, words[0] == "link" else {
            throw ValidationError("I do not know \"\(words.joined(separator: " "))\"; see lab help")
        }
        guard let link = links.first(where: { $0.name == words[1] }) else {
            throw ValidationError(
                "there is no link \(words[1]); there are \(links.map(\.name).joined(separator: ", "))")
        }
        try change(link, words[2], to: words[3], words.count > 4 ? LinkWords.direction(words[4]) : .both)
        return "ok\n" + describe(link)
    }

    private func change(_ link: Link, _ what: String, to value: String, _ direction: LinkDirection) throws {
        switch (what, value) {
        case ("blackhole", "on"), ("blackhole", "off"): link.blackhole(value == "on", direction: direction)
        case ("carrier", "down"), ("carrier", "up"): try link.carrier(down: value == "down")
        case ("rate", _): link.set(rate: try LinkWords.rate(value), direction: direction)
        case ("delay", _): link.set(delay: try LinkWords.delay(value), direction: direction)
        case ("loss", _): link.set(loss: try LinkWords.loss(value), direction: direction)
        case ("queue", _): link.set(queue: try LinkWords.size(value), direction: direction)
        default: throw ValidationError("I do not know \"\(what) \(value)\"; see lab help")
        }
    }

    private func describe(_ link: Link) -> String {
        let ways = [("up", LinkDirection.aToB), ("down", .bToA)].map { word, direction in
            let profile = link.profile(direction)
            let counters = link.counters(direction)
            let hole = link.isBlackhole(direction) ? " BLACKHOLE" : ""
            return
                "  \(word): \(profile.rate), \(profile.delay) one way, loss \(profile.loss), queue \(profile.queueLimit)\(hole);"
                + " delivered \(counters.deliveredPackets) packets, \(counters.deliveredBytes) bytes;"
                + " lost \(counters.lost), overflowed \(counters.overflowed), blackholed \(counters.blackholed), failed \(counters.failed)\n"
        }
        return "\(link.name): carrier \(link.isCut ? "DOWN" : "up")\n" + ways.joined()
    }
}
