import FuzzDriver

/// Files and frames under libFuzzer; `deploy/fuzz` starts it.
@main
struct Fuzz {
    static func main() { Fuzzer.run(\FuzzTarget.decoder) }
}
