import Dashboard
import Testing

@Suite("Where the dashboard listens")
struct DashboardAddressTests {
    @Test(
        "A port, or a loopback host and a port",
        arguments: [
            ("0", "127.0.0.1:0"), ("9000", "127.0.0.1:9000"), ("localhost:80", "localhost:80"),
            ("127.0.0.1:65535", "127.0.0.1:65535"),
            ("[::1]:8642", "[::1]:8642"),
        ])
    func accepted(text: String, address: String) throws {
        #expect(try DashboardAddress(text).description == address)
    }

    @Test(
        "No address",
        arguments: ["", ":", "port", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "65536", "١٢", "localhost:8x"])
    func malformed(text: String) {
        #expect(throws: DashboardError.notAnAddress(text)) { try DashboardAddress(text) }
    }

    @Test(
        "An address that others can reach is refused",
        arguments: ["0.0.0.0:80", "[::]:80", "192.168.1.2:8642", ":8642"])
    func reachable(text: String) {
        #expect(throws: DashboardError.notLoopback(text)) { try DashboardAddress(text) }
    }

    @Test("A request's host tells whether it was meant for this machine")
    func authority() {
        for good in ["localhost", "localhost:8642", "127.0.0.1:1", "[::1]:8642", "[::1]"] {
            #expect(DashboardAddress.isLoopback(authority: good), "\(good)")
        }
        for bad in [nil, "", "evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost:1:evil.example"]
        {
            #expect(!DashboardAddress.isLoopback(authority: bad), "\(bad ?? "none")")
        }
    }
}
