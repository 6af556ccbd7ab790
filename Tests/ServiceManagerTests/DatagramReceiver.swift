import Glibc
import SystemPackage

/// A Unix datagram socket in a directory of its own, as a service manager or the journal has one: receives messages and
/// the descriptors that come with them. Closed and removed at the end of its life.
final class DatagramReceiver: Sendable {
    let path: String
    private let directory: String
    private let descriptor: CInt

    init() throws {
        var template = Array("/tmp/braid-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        path = directory + "/socket"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw Errno(rawValue: errno) }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
        unlink(path)
        rmdir(directory)
    }

    /// The next message, waited for at most 20 s, and the descriptors that came with it, which become the caller's.
    func receive() throws -> (text: String, bytes: [UInt8], descriptors: [CInt]) {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var control = [UInt64](repeating: 0, count: 32)
        var descriptors: [CInt] = []
        let count = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(descriptor, &message, 0)
                    // One header (length, level, type) and as many descriptors as its length says; cmsg(3).
                    if count >= 0, message.msg_controllen >= 16 {
                        let length = control.load(as: Int.self)
                        if control.load(fromByteOffset: 12, as: CInt.self) == CInt(SCM_RIGHTS) {
                            for offset in stride(from: 16, to: length, by: 4) {
                                descriptors.append(control.load(fromByteOffset: offset, as: CInt.self))
                            }
                        }
                    }
                    return count
                }
            }
        }
        guard count >= 0 else { throw Errno(rawValue: errno) }
        let received = Array(bytes.prefix(count))
        return (String(decoding: received, as: UTF8.self), received, descriptors)
    }
}
