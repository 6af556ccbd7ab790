internal import LinuxSystem

/// Where the callbacks of c-ares leave what they have to say, for the resolver to take later: they run in the middle of
/// a call into c-ares and may not call back into it. Used by the resolver's thread only.
final class ResolverInbox {
    let options: ResolverOptions
    private var results: [Resolution] = []
    private var changes: [Resolver.WatchChange] = []

    init(options: ResolverOptions) {
        self.options = options
    }

    func finish(_ resolution: Resolution) {
        results.append(resolution)
    }

    func watch(_ descriptor: CInt, readable: Bool, writable: Bool) {
        var readiness: Readiness = []
        if readable { readiness.formUnion(.readable) }
        if writable { readiness.formUnion(.writable) }
        changes.append(Resolver.WatchChange(descriptor: descriptor, readiness: readiness))
    }

    func takeResults() -> [Resolution] {
        defer { results.removeAll() }
        return results
    }

    func takeWatchChanges() -> [Resolver.WatchChange] {
        defer { changes.removeAll() }
        return changes
    }
}
