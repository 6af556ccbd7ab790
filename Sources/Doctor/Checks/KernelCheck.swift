internal import MultipathTCP
internal import SystemPackage

/// Whether the kernel has MPTCP, and gives it to this process.
enum KernelCheck {
    static let name = "kernel"

    static func examine(_ host: HostState) -> [Finding] {
        let release = host.kernelRelease
        switch host.support {
        case .never:
            return [
                Finding(
                    .fail, name, "Linux \(release) has no MPTCP (it came with 5.6, as CONFIG_MPTCP)",
                    [.advice("boot a kernel with MPTCP: the distribution's own, 5.15 or later")])
            ]
        case .notNow(.refusedBySystem(let errno)):
            return [
                Finding(
                    .fail, name, "Linux \(release) has MPTCP, but this process may not use it (\(errno))",
                    [
                        .advice(
                            "allow socket(…, IPPROTO_MPTCP) in the seccomp, SELinux or eBPF rules that this process runs under"
                        )
                    ])
            ]
        case nil:
            return [Finding(.fail, name, "Linux \(release) gives this process no TCP sockets at all")]
        default: break
        }
        let version = numbers(release)
        if version < (5, 15) {
            return [
                Finding(
                    .warn, name,
                    "Linux \(release) has MPTCP, an early one: no backup or fullmesh changes, few counters",
                    [.advice("boot a newer kernel: 5.15 at least, 6.10 or later is better")])
            ]
        }
        return [Finding(.pass, name, "Linux \(release) has MPTCP")]
    }

    /// Major and minor number of `6.18.44-foo`.
    static func numbers(_ release: String) -> (Int, Int) {
        let parts = release.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
        return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0)
    }
}
