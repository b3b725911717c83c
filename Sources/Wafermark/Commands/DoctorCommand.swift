import ArgumentParser
import Coordinator
import Report

/// `wafermark doctor`: is everything in place?
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check what the program needs, and say how to mend what is wrong.",
        discussion: "Exits with 1 where something will not work.")

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Report: Encodable {
        struct Entry: Encodable {
            var name: String
            var status: String
            var found: String
            var remedy: String?
        }
        var healthy: Bool
        var findings: [Entry]
    }

    func run() throws {
        let state = HostProbe.state(of: state.directory)
        let findings = Doctor.findings(on: HostProbe.facts(libraries: ThisProgram.libraries, state: state))
        let healthy = !findings.contains { $0.status == .fail }
        if output.json {
            try Console.printJSON(
                Report(
                    healthy: healthy,
                    findings: findings.map {
                        .init(name: $0.name, status: $0.status.rawValue, found: $0.found, remedy: $0.remedy)
                    }))
        } else {
            let width = findings.map(\.name.count).max() ?? 0
            for finding in findings {
                let heading = "\(finding.status.rawValue.padded(to: 4))  \(finding.name.padded(to: width))  "
                Console.printExactly(WrappedText.lines(finding.found, indent: heading.count, first: heading))
                if let remedy = finding.remedy {
                    let margin = String(repeating: " ", count: heading.count)
                    Console.printExactly(WrappedText.lines(remedy, indent: heading.count, first: margin))
                }
            }
        }
        if !healthy { throw CommandFailure.alreadyReported }
    }
}
