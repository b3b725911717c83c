import Cluster
import Testing

@Suite("What Slurm says of a worker")
struct SlurmStateTests {
    @Test("every line of squeue is a job's state; other lines are nobody's")
    func states() {
        let text = """
            12|PENDING|Resources
            13|RUNNING|None
            14|COMPLETED|None
            slurm_load_jobs error: Invalid job id specified
            15|COMPLETING|None
            16|SOMETHING_NEW|x

            """
        #expect(
            SlurmState.states(text) == [
                "12": .waiting(reason: "Resources"), "13": .running, "14": .ended("COMPLETED"), "15": .running,
                "16": .running,
            ])
    }

    @Test(
        "how a worker ended",
        arguments: [
            ("COMPLETED", "JobId=1 ExitCode=0:0", WorkerExit.status(0)),
            ("FAILED", "JobId=1 JobState=FAILED ExitCode=3:0 x=y", .status(3)),
            ("FAILED", "ExitCode=0:9", .signal(9)), ("FAILED", "", .scheduler("FAILED")),
            ("FAILED", "ExitCode=x", .scheduler("FAILED")), ("CANCELLED", "ExitCode=0:15", .scheduler("CANCELLED")),
            ("NODE_FAIL", "ExitCode=1:0", .scheduler("NODE_FAIL")),
        ])
    func exits(state: String, description: String, exit: WorkerExit) {
        #expect(WorkerExit(state: state, description: description) == exit)
    }
}
