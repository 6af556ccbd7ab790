import Glibc
import Lab

/// A program that the tests need besides Braid: what it is called, and the Debian package that has it.
struct Application {
    let name: String
    let package: String

    static let curl = Application(name: "curl", package: "curl")
    static let haproxy = Application(name: "haproxy", package: "haproxy")
    static let iperf3 = Application(name: "iperf3", package: "iperf3")
    static let netcat = Application(name: "nc.openbsd", package: "netcat-openbsd")
    static let nghttpd = Application(name: "nghttpd", package: "nghttp2-server")
    static let nginx = Application(name: "nginx", package: "nginx-light")
    static let nginxStreamModule = Application(name: "ngx_stream_module.so", package: "libnginx-mod-stream")
    static let openssl = Application(name: "openssl", package: "openssl")
    static let python = Application(name: "python3", package: "python3-websockets")
    static let redisBenchmark = Application(name: "redis-benchmark", package: "redis-tools")
    static let redisClient = Application(name: "redis-cli", package: "redis-tools")
    static let redisServer = Application(name: "redis-server", package: "redis-server")
    static let scp = Application(name: "scp", package: "openssh-client")
    static let ssh = Application(name: "ssh", package: "openssh-client")
    static let sshd = Application(name: "sshd", package: "openssh-server")
    static let sshKeygen = Application(name: "ssh-keygen", package: "openssh-client")

    /// Its path; a user's PATH often lacks the directories of servers.
    var path: String {
        get throws {
            // A module of nginx is read, not run.
            if name.hasSuffix(".so"), access("/usr/lib/nginx/modules/\(name)", R_OK) == 0 {
                return "/usr/lib/nginx/modules/\(name)"
            }
            for directory in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] where access("\(directory)/\(name)", X_OK) == 0
            {
                return "\(directory)/\(name)"
            }
            throw LabError("find \(name)", errno: ENOENT, detail: "apt-get install --no-install-recommends \(package)")
        }
    }
}
