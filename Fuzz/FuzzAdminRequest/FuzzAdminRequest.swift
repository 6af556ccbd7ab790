@testable import Admin
import CFuzzer
import Glibc

/// Reads each input as a part of a request to the admin interface: a target when it begins with `/`, the body of a change when
/// it begins with `{`, else the name of a host.
///
///     make fuzz FUZZERS=FuzzAdminRequest
@main
struct FuzzAdminRequest {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            switch bytes.first {
            case UInt8(ascii: "/"): target(String(decoding: bytes, as: UTF8.self))
            case UInt8(ascii: "{"):
                if case .success(let change) = LinkRoleChange.parse(bytes) {
                    precondition(change.backup != nil || change.up != nil)
                }
            default: host(String(decoding: bytes, as: UTF8.self))
            }
            return 0
        }
        exit(status)
    }
}

private func target(_ text: String) {
    guard let query = Query(text) else { return }
    precondition(text.utf8.contains(UInt8(ascii: "%")) || text.utf8.starts(with: query.path.utf8))
    if case .success(let busiest) = BusiestQuery.parse(query) {
        precondition((1...BusiestQuery.maximumLimit).contains(busiest.limit))
    }
    if case .success(let filter) = EventFilter.parse(query) {
        precondition((0...EventLog.capacity).contains(filter.replay))
    }
}

private func host(_ text: String) {
    guard let name = HostCheck.name(text) else { return }
    precondition(!name.isEmpty && name == name.lowercased())
}
