import Lab
import Testing

@Suite(.serialized) struct SmokeTests {
    @Test func twoHosts() async throws {
        try await Lab.with { lab in
            let near = try lab.host("near")
            let far = try lab.host("far")
            let link = try lab.link(near, far, name: "lte", rate: .mbit(50), delay: .milliseconds(10))
            print(try near.run("ip", "addr").standardOutput)
            print(try link.hasCarrier(at: near), try link.hasCarrier(at: far))
            try link.carrier(down: true)
            print(try link.hasCarrier(at: near), try link.hasCarrier(at: far))
            try link.carrier(down: false)
            print(try near.run("ip", "route").standardOutput)
            print(try near.run("ip", "neigh").standardOutput)
            print(link.counters(.both))
            let server = try far.spawn(
                "python3", "-uc",
                """
                import socket
                s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM); s.bind(("::",7)); print("ready")
                while 1:
                    d,a=s.recvfrom(2000); s.sendto(d,a)
                """)
            try await server.line(containing: "ready")
            print(
                try near.run([
                    "python3", "-c",
                    """
                    import socket,time
                    for h in ("\(link.address(of: far))","\(link.address6(of: far))"):
                        s=socket.socket(socket.AF_INET6 if ":" in h else socket.AF_INET,socket.SOCK_DGRAM); s.connect((h,7))
                        r=[]
                        for i in range(50):
                            t=time.monotonic(); s.send(b"x"*100); s.recv(2000); r.append((time.monotonic()-t)*1e3)
                        r.sort(); print(h, r[0],r[25],r[-1])
                    """,
                ]).standardOutput)
            print(link.counters(.both))
        }
    }
}
