import Glibc
import LinuxSystem
import SystemPackage

/// A pipe whose writing end stands for standard error, and what came out of it.
struct LineReader: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init() throws {
        // Closed on exec, for other tests start processes; but blocking, as standard error is.
        let pipe = try Pipe(capacity: 65_536)
        guard fcntl(pipe.writeEnd.raw, F_SETFL, 0) == 0 else { throw Errno(rawValue: errno) }
        let output = try pipe.readEnd.duplicate()
        let input = try pipe.writeEnd.duplicate()
        readEnd = output
        writeEnd = input
    }

    /// Everything that is in the pipe now.
    func bytes() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var wanted = pollfd(fd: readEnd.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 0) == 1, wanted.revents & Int16(POLLIN) != 0 else { return bytes }
            let count = read(readEnd.raw, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// Everything that is in the pipe now, as lines.
    func lines() -> [String] {
        String(decoding: bytes(), as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
