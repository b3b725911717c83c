import Foundation
import FuzzDriver
import PerformanceModel

/// Profiles of machines.
enum HardwareDecoding {
    static func run(_ input: UnsafeRawBufferPointer) {
        // `InputFile` refuses what is no UTF-8 before it comes here.
        guard let text = String(validating: input, as: UTF8.self) else { return }
        do throws(PerformanceModelError) {
            let profile = try HardwareProfile(parsing: text, file: "machine.yaml")
            promise((try? JSONEncoder().encode(profile)) != nil, "a profile's figures are numbers")
        } catch {
            promise(!error.description.isEmpty, "a refusal says why")
        }
    }
}
