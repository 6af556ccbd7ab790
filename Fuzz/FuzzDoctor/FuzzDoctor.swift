import CFuzzer
@testable import Doctor
import Glibc
import MultipathTCP

/// Reads each input as what other programs and the kernel tell the doctor as text: rules of nftables and iptables, counters.
///
///     make fuzz FUZZERS=FuzzDoctor
@main
struct FuzzDoctor {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            let text = String(decoding: bytes, as: UTF8.self)
            // A remedy is one line, that somebody will paste into a shell.
            for rule in FirewallView.nftRules(in: text) {
                precondition(rule.removal.hasPrefix("nft delete rule "))
                precondition(!rule.removal.utf8.contains(10))
            }
            for rule in FirewallView.iptablesRules(in: text, program: "iptables") {
                precondition(rule.removal.hasPrefix("iptables -t "))
                precondition(!rule.removal.utf8.contains(10))
            }
            let counters = KernelCounters(parsing: bytes)
            precondition(counters.values.count <= bytes.count)
            return 0
        }
        exit(status)
    }
}
