import Foundation
import FoundationNetworking
import TestSupport
import Testing

@Suite("The dashboard", .serialized)
struct DashboardTests {
    /// A daemon with its dashboard at a free port.
    private struct Served {
        let daemon: RunningProgram
        let base: String

        init(_ state: String, _ more: [String] = []) throws {
            daemon = try Program.start(
                ["serve", "--state", state] + (more.contains("--dashboard") ? [] : ["--dashboard", "0"]) + more)
            var base = ""
            let daemon = daemon
            let isUp = Eventually.holds(within: 30) {
                guard
                    let line = daemon.standardError.split(separator: "\n").first(where: {
                        $0.contains("dashboard: http")
                    }),
                    let start = line.range(of: "http://")
                else { return !daemon.isRunning }
                base = String(line[start.lowerBound...].dropLast())
                return true
            }
            self.base = base
            #expect(isUp && daemon.isRunning && !base.isEmpty, "\(daemon.standardError)")
        }
    }

    private struct Answer {
        var status: Int
        var text: String
        var headers: [String: String]
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:]
        }
        var message: String { (json["error"] as? [String: Any])?["message"] as? String ?? "" }
    }

    private func ask(
        _ method: String, _ url: String, body: [String: Any]? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)), timeoutInterval: 60)
        request.httpMethod = method
        if method != "GET" { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        if let body { request.httpBody = try JSONSerialization.data(withJSONObject: body) }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let fields = http.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
        return Answer(
            status: http.statusCode, text: String(decoding: data, as: UTF8.self), headers: Dictionary(fields) { $1 })
    }

    @Test("a run is launched, followed to its end, reported on and deleted")
    func launchToReport() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s")
        let page = try await ask("GET", served.base + "/")
        #expect(page.status == 200 && page.text.contains("<title>Wafermark</title>"))
        #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
        #expect(try await ask("GET", served.base + "/readyz").status == 200)

        let launched = try await ask(
            "POST", served.base + "/api/v1/runs",
            body: ["job": JobFixtures.small(), "backend": "cluster", "workers": 2])
        #expect(launched.status == 202, "\(launched.text)")
        let id = try #require(launched.json["run_id"] as? String)

        // The stream ends with the run.
        let stream = try await ask("GET", served.base + "/api/v1/runs/\(id)/stream")
        let frames = try Self.frames(stream.text)
        #expect(stream.headers["content-type"] == "text/event-stream")
        #expect(stream.text.hasSuffix("event: end\ndata: {}\n\n"))
        let steps = frames.flatMap { $0["steps"] as? [[String: Any]] ?? [] }.compactMap { $0["step"] as? Int }
        #expect(steps == Array(0..<12))
        let last = try #require(frames.last?["run"] as? [String: Any])
        #expect(last["state"] as? String == "finished")
        #expect((frames.last?["workers"] as? [[String: Any]])?.count == 2)

        let shown = try await ask("GET", served.base + "/api/v1/runs/\(id)")
        #expect(
            (shown.json["run"] as? [String: Any])?["weights_digest"] as? String == last["weights_digest"] as? String)
        let report = try await ask("GET", served.base + "/report?run=\(id)")
        #expect(report.status == 200 && report.text.contains(id) && report.text.hasPrefix("<!"))
        // The same by another clock, which the report then tells of.
        #expect(!report.text.contains("id=\"mlperf\""))
        let otherClock = try await ask("GET", served.base + "/report?run=\(id)&clock=mlperf")
        #expect(otherClock.status == 200 && otherClock.text.contains("id=\"mlperf\""))
        for query in ["clock=wall", "clock=", "clock=host&clock=mlperf"] {
            let refused = try await ask("GET", served.base + "/report?run=\(id)&\(query)")
            #expect(refused.status == 400, "\(refused.text)")
            #expect(refused.message.hasPrefix("clock: found") && refused.message.hasSuffix("host, mlperf"))
        }
        let metrics = try await ask("GET", served.base + "/metrics")
        #expect(metrics.text.contains("wafermark_runs{state=\"finished\"} 1.0\n"))

        #expect(try await ask("DELETE", served.base + "/api/v1/runs/\(id)").status == 200)
        #expect(try await ask("GET", served.base + "/api/v1/runs/\(id)").status == 404)
        served.daemon.signal(SIGTERM)
        #expect(try served.daemon.wait(seconds: 20).status == 0, "\(served.daemon.standardError)")
    }

    private static func frames(_ stream: String) throws -> [[String: Any]] {
        try stream.components(separatedBy: "\n\n").filter { $0.hasPrefix("event: frame") }.map { event in
            let data = event.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }
            let value = try JSONSerialization.jsonObject(with: Data(data.joined(separator: "\n").utf8))
            return try #require(value as? [String: Any])
        }
    }

    @Test("a run is cancelled and resumed, and a stream that is open doesn't keep the daemon from ending")
    func cancelAndResume() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s")
        let launched = try await ask(
            "POST", served.base + "/api/v1/runs", body: ["job": JobFixtures.small(steps: 100_000), "backend": "wafer"])
        let id = try #require(launched.json["run_id"] as? String)
        let run = served.base + "/api/v1/runs/\(id)"
        func waitFor(_ state: String) async throws {
            for _ in 0..<600 {
                if try await self.state(of: run) == state { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("run \(id) did not become \(state): \(served.daemon.standardError)")
        }
        try await waitFor("running")
        #expect(try await ask("POST", run + "/cancel", body: [:]).status == 202)
        try await waitFor("cancelled")
        #expect(try await ask("POST", run + "/cancel", body: [:]).status == 409)
        #expect(try await ask("POST", run + "/resume", body: [:]).status == 202)
        try await waitFor("running")
        let stream = Task { try? await ask("GET", run + "/stream") }
        served.daemon.signal(SIGTERM)
        #expect(try served.daemon.wait(seconds: 30).status == 0, "\(served.daemon.standardError)")
        _ = await stream.value
    }

    private func state(of run: String) async throws -> String? {
        (try await ask("GET", run).json["run"] as? [String: Any])?["state"] as? String
    }

    @Test("wrong requests are told what is wrong")
    func wrongRequests() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s")
        let runs = served.base + "/api/v1/runs"
        let job = JobFixtures.small()
        let wrongJob = try await ask("POST", runs, body: ["job": "name: x\nlanes: many\n", "backend": "wafer"])
        #expect(wrongJob.status == 422 && wrongJob.message.contains("job:2"), "\(wrongJob.text)")
        let workers = try await ask("POST", runs, body: ["job": job, "backend": "cluster", "workers": 9])
        #expect(workers.status == 422 && workers.message.contains("4 lanes"), "\(workers.text)")
        let hardware = try await ask("POST", runs, body: ["job": job, "backend": "wafer", "hardware": "/etc/passwd"])
        #expect(hardware.status == 422 && hardware.message.contains("cs1"), "\(hardware.text)")
        let kind = try await ask("POST", runs, body: ["job": job, "backend": "cluster", "hardware": "cs1"])
        #expect(kind.status == 422 && kind.message.contains("wafer"), "\(kind.text)")
        let lacking = try await ask("POST", runs, body: ["backend": "wafer"])
        #expect(lacking.status == 400 && lacking.message.contains("job"), "\(lacking.text)")
        #expect(try await ask("GET", runs + "/zzzz").status == 404)
        #expect(try await ask("GET", runs + "/..%2f..%2fetc").status == 400)
        #expect(try await ask("GET", runs + "?limit=0").status == 400)
        #expect(try await ask("GET", served.base + "/report").status == 400)
        #expect(try await ask("GET", served.base + "/nowhere").status == 404)
    }

    @Test("what a page of another site could send is refused")
    func otherSites() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s")
        let runs = served.base + "/api/v1/runs"
        let body: [String: Any] = ["job": JobFixtures.small(), "backend": "wafer"]
        let plain = try await ask("POST", runs, body: body, headers: ["Content-Type": "text/plain"])
        #expect(plain.status == 415)
        let origin = try await ask("POST", runs, body: body, headers: ["Origin": "https://evil.example"])
        #expect(origin.status == 403)
        let host = try await ask("GET", runs, headers: ["Host": "evil.example"])
        #expect(host.status == 421)
        #expect((try await ask("GET", runs).json["runs"] as? [Any])?.isEmpty == true)
    }

    private static let token = "0123456789-abcdefghijklmnopqrstuvwxyz"

    private func tokenFile(in folder: TemporaryFolder) throws -> String {
        let path = try folder.write(Self.token + "\n", to: "token")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    @Test("B15: with a token, who has none sees that the daemon lives, and nothing else")
    func token() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s", ["--dashboard-token", try tokenFile(in: folder)])
        let good = ["Authorization": "Bearer \(Self.token)"]
        for path in ["/api/v1/runs", "/metrics", "/", "/openapi.json", "/dashboard.js", "/nowhere", "/report?run=0"] {
            #expect(try await ask("GET", served.base + path).status == 401, "\(path)")
            let wrong = try await ask("GET", served.base + path, headers: ["Authorization": "Bearer \(Self.token)x"])
            #expect(wrong.status == 401, "\(path)")
        }
        let launch = try await ask(
            "POST", served.base + "/api/v1/runs", body: ["job": JobFixtures.small(), "backend": "wafer"])
        #expect(launch.status == 401)
        #expect(try await ask("GET", served.base + "/healthz").status == 200)
        let runs = try await ask("GET", served.base + "/api/v1/runs", headers: good)
        #expect(runs.status == 200 && (runs.json["runs"] as? [Any])?.isEmpty == true)
        #expect(!served.daemon.standardError.contains(Self.token))
    }

    @Test("B15: the login page gives a session for the token, and for nothing else")
    func login() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(folder.path + "/s", ["--dashboard-token", try tokenFile(in: folder)])
        let page = try await ask("GET", served.base + "/", headers: ["Accept": "text/html"])
        #expect(page.status == 200 && page.text.contains("action=\"/login\""), "it leads to the login page")
        func logIn(_ text: String) async throws -> (status: Int, cookie: String?) {
            let outcome = try Program.command(
                "curl", ["-s", "-i", "-X", "POST", "--data", "token=\(text)", served.base + "/login"])
            let lines = outcome.split(separator: "\r\n")
            let cookie = lines.first { $0.lowercased().hasPrefix("set-cookie: ") }.map {
                $0.dropFirst("set-cookie: ".count)
            }
            return (Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0, cookie.map(String.init))
        }
        let wrong = try await logIn("nonsense")
        #expect(wrong.status == 401 && wrong.cookie == nil)
        let right = try await logIn(Self.token)
        let cookie = try #require(right.cookie)
        #expect(right.status == 303 && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
        #expect(!cookie.contains(Self.token))
        let session = String(cookie.prefix { $0 != ";" })
        let runs = try await ask("GET", served.base + "/api/v1/runs", headers: ["Cookie": "a=b; \(session)"])
        #expect(runs.status == 200)
        let forged = try await ask("GET", served.base + "/api/v1/runs", headers: ["Cookie": session + "0"])
        #expect(forged.status == 401)
    }

    @Test("beyond this machine a request must have come to a proxy by TLS, by one of the dashboard's names")
    func behindProxy() async throws {
        let folder = try TemporaryFolder()
        let served = try Served(
            folder.path + "/s",
            [
                "--dashboard", "0.0.0.0:0", "--dashboard-host", "wafermark.example", "--dashboard-token",
                try tokenFile(in: folder),
            ])
        let base = served.base.replacing("0.0.0.0", with: "127.0.0.1")
        let good = ["Authorization": "Bearer \(Self.token)"]
        let plain = try await ask("GET", base + "/api/v1/runs", headers: good)
        #expect(plain.status == 403 && plain.message.contains("TLS"), "\(plain.text)")
        let proxied = good.merging(["X-Forwarded-Proto": "https", "Host": "wafermark.example"]) { $1 }
        #expect(try await ask("GET", base + "/api/v1/runs", headers: proxied).status == 200)
        let other = proxied.merging(["Host": "evil.example"]) { $1 }
        #expect(try await ask("GET", base + "/api/v1/runs", headers: other).status == 421)
        #expect(try await ask("GET", base + "/healthz", headers: ["Host": "10.0.0.1"]).status == 200)
    }

    @Test("an address that others can reach, or that is taken, is refused by name")
    func addresses() throws {
        let folder = try TemporaryFolder()
        let reachable = try Program.run(
            ["serve", "--state", folder.path + "/s", "--dashboard", "0.0.0.0:1"], seconds: 20)
        #expect(reachable.status == 2 && reachable.standardError.contains("this machine alone"))
        let taken = try TakenPort()
        let busy = try Program.run(
            ["serve", "--state", folder.path + "/s", "--dashboard", "\(taken.number)"], seconds: 20)
        #expect(busy.status == 2 && busy.standardError.contains("\(taken.number)"), "\(busy.standardError)")
        let both = try Program.run(["serve", "--dashboard", "0", "--no-dashboard"], seconds: 20)
        #expect(both.status == 2)
    }
}
