/// A client with thousands of connections to an echo.
enum LoadProgram {
    /// Arguments: PORTS IDLE ACTIVE ROUNDS. It opens all connections (in turn to each of the ports, separated by
    /// commas) and sees one message come back over each; then the active ones exchange messages, ROUNDS each, at the same
    /// time. It says `open` and waits for a line; then every connection, idle or not, exchanges one more, and
    /// all are closed. It checks every byte.
    static let text = """
        import random, resource, select, socket, sys, time
        ports, idle, active, rounds = [int(p) for p in sys.argv[1].split(",")], *map(int, sys.argv[2:5])
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        poll = select.epoll()
        sizes = [1, 64, 64, 64, 1000, 1000, 4096, 20000]

        class Connection:
            __slots__ = ("socket", "number", "round", "left", "out", "wanted", "got")
            def __init__(self, number):
                self.number, self.round, self.socket = number, 0, None

            def begin(self, count):
                self.left = count
                if self.socket is None:
                    self.socket = socket.socket()
                    self.socket.setblocking(False)
                    self.socket.connect_ex(("127.0.0.1", ports[self.number % len(ports)]))
                self.next(poll.register)

            def next(self, tell):
                self.round += 1
                source = random.Random(self.number * 100003 + self.round)
                self.wanted = source.randbytes(source.choice(sizes))
                self.out, self.got = memoryview(self.wanted), bytearray()
                tell(self.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

            def serve(self, events):
                '''Answers whether all rounds are done.'''
                if events & select.EPOLLOUT and self.out:
                    self.out = self.out[self.socket.send(self.out):]
                    if not self.out: poll.modify(self.socket.fileno(), select.EPOLLIN)
                if events & ~select.EPOLLOUT:
                    part = self.socket.recv(65536)
                    if not part: raise ConnectionError("ended by the peer")
                    self.got += part
                    if len(self.got) >= len(self.wanted):
                        if self.got != self.wanted: raise ValueError("other bytes came back than were sent")
                        self.left -= 1
                        if self.left == 0:
                            poll.unregister(self.socket.fileno())
                            self.out = self.wanted = self.got = None
                            return True
                        self.next(poll.modify)
                return False

        def exchange(connections, count, at_once):
            waiting, running = list(reversed(connections)), {}
            while waiting or running:
                while waiting and len(running) < at_once:
                    one = waiting.pop()
                    one.begin(count)
                    running[one.socket.fileno()] = one
                events = poll.poll(20)
                if not events: sys.exit(f"{len(running)} of {len(connections)} connections got no answer for 20 s")
                for number, event in events:
                    try:
                        if running[number].serve(event): del running[number]
                    except Exception as error: sys.exit(f"connection {running[number].number}: {error}")

        everyone = [Connection(number) for number in range(idle + active)]
        start = time.monotonic()
        exchange(everyone, 1, 200)
        opened = time.monotonic()
        exchange(everyone[idle:], rounds, active)
        print(f"open {len(everyone)} after {opened - start:.1f} s,",
              f"{active * rounds / (time.monotonic() - opened):.0f} exchanges/s", flush=True)
        sys.stdin.readline()
        exchange(everyone, 1, 500)
        for one in everyone: one.socket.close()
        print("closed", flush=True)
        """
}
