import FuzzDriver
import Jobs

/// Job files. Files that they name are not looked for.
enum JobDecoding {
    static func run(_ input: UnsafeRawBufferPointer) {
        do throws(JobFileError) {
            let job = try JobFile.parse(bytes: Array(input), name: "job.yaml", directory: "/", files: .unchecked)
            promise(JobFile.problems(of: job).isEmpty, "a job that was read is valid")
            let text = JobFile.json(job)
            guard let copy = try? JobFile.decode(json: text) else {
                fatalError("broken promise: a job is read from its own JSON: \(text)")
            }
            promise(copy == job, "a job is written as it is read: \(text)")
        } catch {
            promise(!error.description.isEmpty, "a refusal says why")
        }
    }
}
