import FuzzDriver

/// The dashboard under libFuzzer; `deploy/fuzz` starts it.
@main
struct Fuzz {
    enum Target: String, CaseIterable { case http }

    static func main() { Fuzzer.run { (_: Target) in RequestHandling.run } }
}
