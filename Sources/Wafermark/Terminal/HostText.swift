import Jobs
import PerformanceModel
import Report

/// A calibrated host for people.
enum HostText {
    /// What was measured, in 80 columns.
    static func text(of host: HostMachine) -> String {
        let table = TextTable(
            [
                .init("WIDTH", isNumeric: true), .init("LENGTH", isNumeric: true), .init("TOKENS", isNumeric: true),
                .init("BUSY", isNumeric: true),
                .init("ENCODER GF/S", isNumeric: true), .init("LAST GF/S", isNumeric: true),
                .init("HEADS GF/S", isNumeric: true),
                .init("ELEMENTS GB/S", isNumeric: true),
            ],
            rows: host.rates.map {
                [
                    "\($0.hidden)", "\($0.sequence)", "\($0.tokens)", "\($0.busy)",
                    Figures.short($0.encoderGigaflopsPerSecond),
                    Figures.short($0.lastLayerGigaflopsPerSecond),
                    Figures.short($0.headGigaflopsPerSecond), Figures.short($0.elementwiseGigabytesPerSecond),
                ]
            })
        let lines = [
            ("processor", "\(host.processor), \(host.cores) cores, \(host.instructionSet)"),
            (
                "disturbed",
                "by \(Figures.short(host.disturbancePercent)) %: kernels in the median measurement, beside undisturbed ones"
            ),
            ("memory", "\(Figures.short(host.memoryGigabytesPerSecond)) GB/s"),
            (
                "lanes",
                "\(Figures.short(host.laneGradients.sum)) ns an element of a sum of gradients, "
                    + "\(Figures.short(host.laneGradients.norm)) ns of a norm"
            ),
            (
                "peers",
                "\(Figures.short(host.streams.peerSum)) ns an element of a sum with a peer's, "
                    + "\(Figures.short(host.streams.peerCopy)) ns of a copy"
            ),
            ("AdamW", "\(Figures.short(host.adamwNanosecondsPerParameter)) ns a parameter"),
            ("LAMB", "\(Figures.short(host.lambNanosecondsPerParameter)) ns a parameter"),
            (
                "control",
                "\(Figures.short(host.controlMicroseconds)) us of a core, a worker and step of several, "
                    + "\(Figures.short(host.controlMicrosecondsInTurns)) us in turns"
            ),
        ]
        let links = TextTable(
            [
                .init("EXCHANGE"), .init("LATENCY US", isNumeric: true), .init("MESSAGE US", isNumeric: true),
                .init("CARRYING NS", isNumeric: true),
            ],
            rows: Transport.allCases.map {
                [
                    $0.rawValue, Figures.short(host.links[$0].latencyMicroseconds),
                    Figures.short(host.links[$0].messageMicroseconds),
                    Figures.short(host.links[$0].carryNanosecondsPerElement),
                ]
            })
        return "Measured on the host clock; rates are a lane's with BUSY lanes side by side\n\n" + table.text() + "\n"
            + lines.map { "\($0.padded(to: 10)) \($1)\n" }.joined() + "\nTwo workers, besides summing; carrying is an "
            + "element's\n\n" + links.text()
    }
}
