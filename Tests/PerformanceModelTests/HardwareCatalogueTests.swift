import Foundation
import PerformanceModel
import Testing

@Suite("Hardware profiles")
struct HardwareCatalogueTests {
    @Test("every built-in profile is read without an error, under the name that lists it")
    func allRead() throws {
        #expect(try HardwareCatalogue.all().map(\.name) == HardwareCatalogue.names)
    }

    @Test("the catalogue lists exactly the files of Resources/hardware")
    func listsTheFolder() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/PerformanceModel/Resources/hardware")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(Set(files) == Set(HardwareCatalogue.names.map { "\($0).yaml" }))
    }

    @Test("a name that nothing has gets the nearest one that something has")
    func suggestsName() {
        let error = #expect(throws: PerformanceModelError.self) { try HardwareCatalogue.profile("dgx1-v100-16") }
        #expect(error?.description.contains("did you mean 'dgx1-v100-16g'?") == true)
    }

    @Test("a misspelt key is refused with file, line, key and the nearest key")
    func refusesUnknownKey() throws {
        let text = try #require(HardwareCatalogue.text(of: "dgx1-v100-16g"))
        let changed = text.replacingOccurrences(of: "  multiprocessors:", with: "  multiprocesors:")
        let error = #expect(throws: PerformanceModelError.self) {
            try HardwareProfile(parsing: changed, file: "mine.yaml")
        }
        #expect(
            error?.description.hasPrefix(
                "mine.yaml:8: device.multiprocesors: unknown key; did you mean 'multiprocessors'?") == true)
    }

    @Test(
        "a figure that is no number, out of range, without a source or twice there is refused where it stands",
        arguments: [
            ("value: 80,", "value: many,", "device.multiprocessors.value: found 'many'; allowed: a number from 1"),
            ("value: 80,", "value: -3,", "device.multiprocessors.value: found '-3'"),
            ("value: 80, source: v100 }", "value: 80, source: rumour }", "multiprocessors.source: found 'rumour'"),
            ("value: 80, source: v100 }", "value: 80 }", "device.multiprocessors.source: missing"),
            ("  power_watts:", "  multiprocessors:", "is there twice"),
            ("kind: cluster", "kind: cloud", "kind: found 'cloud'; allowed: cluster, wafer"),
            ("links:", "links: [1]\nx:", "mine.yaml"),
        ])
    func refusesBadFigure(found: String, replacement: String, message: String) throws {
        let text = try #require(HardwareCatalogue.text(of: "dgx1-v100-16g"))
        let changed = text.replacingOccurrences(of: found, with: replacement)
        try #require(changed != text)
        let error = #expect(throws: PerformanceModelError.self) {
            try HardwareProfile(parsing: changed, file: "mine.yaml")
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "no error")")
    }
}
