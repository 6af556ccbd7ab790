import Glibc
import LinuxSystem
import SystemPackage

/// A pipe whose writing end stands for standard error, and what came out of it.
struct LineReader: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
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
