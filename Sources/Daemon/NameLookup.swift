internal import LinuxSystem
internal import SystemPackage
internal import Upstreams

/// Looks a name up and waits for the answer: for listen addresses, before anything is relayed.
enum NameLookup {
    static func wait(for name: String, port: UInt16) -> Result<[SocketAddress], ResolutionError> {
        do {
            let resolver = try Resolver()
            var poller = try Poller()
            resolver.resolve(name: name, port: port, id: 0)
            while true {
                if let resolution = resolver.takeResults().first {
                    switch resolution.result {
                    case .addresses(let addresses, _): return .success(addresses)
                    case .services: return .failure(.noAddresses)
                    case .failed(let error): return .failure(error)
                    }
                }
                try resolver.updateWatches(in: poller, tag: 0)
                let deadline = resolver.deadline
                let patience = deadline == .never ? -1 : CInt(clamping: deadline.since(.now()) / 1_000_000 + 1)
                let count = try poller.wait(milliseconds: patience)
                for index in 0..<count {
                    let event = poller.event(index)
                    resolver.process(event.readiness, event.token)
                }
                resolver.processTimeouts()
            }
        } catch {
            return .failure(.other("\(error)"))
        }
    }
}
