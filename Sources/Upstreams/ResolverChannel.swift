internal import CAres
internal import CLinux
internal import LinuxSystem

/// One c-ares channel and its callbacks: the only place that touches c-ares. ares_init_options(3).
///
/// What makes the pointers safe:
/// - the channel is made in `init` and destroyed in `deinit`, nowhere else, and used by one thread;
/// - the pointer that the socket-state callback gets is this channel's inbox, which this object retains, and c-ares calls
///   it last inside `ares_destroy`, so before the inbox can go;
/// - the pointer that a query's callback gets is a `ResolverQuery` retained for it; c-ares calls every query's callback
///   exactly once (`ares_destroy` calls those that are left), and the callback takes that reference over;
/// - callbacks only touch the inbox and their query, never the channel: c-ares does not allow more.
@safe
final class ResolverChannel {
    private let handle: ares_channel
    private let inbox: ResolverInbox
    private let counter = InFlightCounter()

    /// Look-ups started and not finished.
    var inFlight: Int { counter.value }

    // Process-wide and counted by c-ares; it is never given back because resolvers may come and go.
    private static let library = ares_library_init(ARES_LIB_INIT_ALL)

    init(options: ResolverOptions, inbox: ResolverInbox) throws(ResolverError) {
        try Self.check(Self.library, "cannot start c-ares")
        let handle = try unsafe Self.open(options, inbox)
        if !options.servers.isEmpty {
            let list = options.servers.map(\.description).joined(separator: ",")
            let status = unsafe ares_set_servers_ports_csv(handle, list)
            if status != Self.success { unsafe ares_destroy(handle) }
            try Self.check(status, "cannot use the DNS servers \(list)")
        }
        unsafe self.handle = handle
        self.inbox = inbox
    }

    deinit {
        unsafe ares_destroy(handle)
    }

    private static let success: CInt = ARES_SUCCESS

    private static func check(_ status: CInt, _ what: String) throws(ResolverError) {
        if status != success {
            throw ResolverError("\(what): \(describe(status))")
        }
    }

    static func describe(_ status: CInt) -> String {
        unsafe String(cString: ares_strerror(status))
    }

    private static func open(_ options: ResolverOptions, _ inbox: ResolverInbox) throws(ResolverError) -> ares_channel {
        var settings = unsafe ares_options()
        unsafe settings.timeout = CInt(clamping: max(1, options.timeout.wholeNanoseconds / 1_000_000))
        unsafe settings.tries = CInt(clamping: max(1, options.tries))
        unsafe settings.sock_state_cb = { inbox, descriptor, readable, writable in
            guard let inbox = unsafe inbox else { return }
            unsafe Unmanaged<ResolverInbox>.fromOpaque(inbox).takeUnretainedValue()
                .watch(descriptor, readable: readable != 0, writable: writable != 0)
        }
        unsafe settings.sock_state_cb_data = Unmanaged.passUnretained(inbox).toOpaque()
        var mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
        var channel: ares_channel?
        var status: CInt
        if let file = options.configurationFile {
            mask |= ARES_OPT_RESOLVCONF
            var bytes = file.utf8CString
            // c-ares copies the path.
            status = unsafe bytes.withUnsafeMutableBufferPointer { path in
                unsafe settings.resolvconf_path = path.baseAddress
                return unsafe ares_init_options(&channel, &settings, mask)
            }
        } else {
            status = unsafe ares_init_options(&channel, &settings, mask)
        }
        try check(status, "cannot read the DNS configuration \(options.configurationFile ?? "/etc/resolv.conf")")
        guard let channel = unsafe channel else { throw ResolverError("c-ares made no channel") }
        return unsafe channel
    }

    func query(name: String, port: UInt16, id: UInt64) {
        var hints = ares_addrinfo_hints()
        hints.ai_family = CInt(LINUX_AF_UNSPEC)
        let query = ResolverQuery(inbox: inbox, counter: counter, name: name, port: port, id: id)
        counter.value += 1
        unsafe ares_getaddrinfo(
            handle, name, nil, &hints,
            { query, status, _, answer in
                guard let query = unsafe query else { return }
                unsafe Unmanaged<ResolverQuery>.fromOpaque(query).takeRetainedValue().finish(status, answer)
                if let answer = unsafe answer { unsafe ares_freeaddrinfo(answer) }
            }, Unmanaged.passRetained(query).toOpaque())
        query.isStarting = false
    }

    func queryService(name: String, id: UInt64) {
        let query = ResolverQuery(inbox: inbox, counter: counter, name: name, port: 0, id: id)
        counter.value += 1
        unsafe ares_query(
            handle, name, Self.classInternet, Self.typeService,
            { query, status, _, answer, length in
                guard let query = unsafe query else { return }
                let bytes = unsafe UnsafeBufferPointer(start: answer, count: answer == nil ? 0 : Int(max(0, length)))
                unsafe Unmanaged<ResolverQuery>.fromOpaque(query).takeRetainedValue().finishService(
                    status, Array(bytes))
            }, Unmanaged.passRetained(query).toOpaque())
        query.isStarting = false
    }

    /// RFC 1035, section 3.2.4, and RFC 2782.
    private static let classInternet: CInt = 1
    private static let typeService: CInt = 33

    func process(_ descriptor: CInt, readable: Bool, writable: Bool) {
        let none = CInt(ARES_SOCKET_BAD)
        unsafe ares_process_fd(handle, readable ? descriptor : none, writable ? descriptor : none)
    }

    func processTimeouts() {
        process(CInt(ARES_SOCKET_BAD), readable: false, writable: false)
    }

    var deadline: MonotonicTime {
        var left = timeval()
        guard unsafe ares_timeout(handle, nil, &left) != nil else { return .never }
        let seconds = UInt64(clamping: left.tv_sec)
        let microseconds = UInt64(clamping: left.tv_usec)
        return MonotonicTime.now() + (seconds * 1_000_000_000 + microseconds * 1000)
    }
}

/// How many look-ups of a channel are in flight, for its queries to count down.
final class InFlightCounter {
    var value = 0
}
