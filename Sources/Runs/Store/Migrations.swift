import GRDB

/// The schema's history, oldest first. A migration that was released is never edited; a change is a new one at the end.
enum Migrations {
    static let all: [(name: String, sql: String)] = [
        ("1 runs and their series", runsAndSeries),
        ("2 a step's duration on each worker", durationOnWorker),
        ("3 which examples a step used", examplesOfStep),
        ("4 lanes of a worker, and gradient noise", lanesAndNoise),
        ("5 bytes before compression", uncompressedBytes),
        ("6 activations that ReLU made zero", activationZeros),
        ("7 keys of submissions", submissionKeys),
        ("8 steps on the emulated clock", emulatedSteps),
        ("9 when the parts of a step began", partStarts),
        ("10 steps made and pins, beside what a list needs", listedColumns),
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in all {
            migrator.registerMigration(migration.name) { try $0.execute(sql: migration.sql) }
        }
        return migrator
    }

    /// `runs` keeps what a list needs in columns and the whole `Run` as JSON in `document`, so that a list decodes no
    /// job. The series carry the run's number, not its text id, in their keys: millions of rows, two bytes instead of
    /// eight. Their keys are the order in which they are read, so they need no other index.
    ///
    /// Times of day are Unix seconds; durations are seconds on the clock that the column names. A number that is none
    /// (NaN) is NULL, because SQLite has no other way to keep it.
    private static let runsAndSeries = """
        CREATE TABLE runs (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            job_name TEXT NOT NULL,
            backend TEXT NOT NULL,
            workers INTEGER NOT NULL,
            hardware TEXT,
            state TEXT NOT NULL,
            failure TEXT,
            submitted REAL NOT NULL,
            started REAL,
            ended REAL,
            steps_planned INTEGER NOT NULL,
            training_host_seconds REAL,
            time_to_target_host_seconds REAL,
            document BLOB NOT NULL
        ) STRICT;
        CREATE INDEX runs_by_submission ON runs (submitted);

        CREATE TABLE steps (
            run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            loss REAL,
            masked_loss REAL,
            next_sentence_loss REAL,
            masked_accuracy REAL,
            learning_rate REAL,
            gradient_norm REAL,
            sequences INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            elapsed_host_seconds REAL NOT NULL,
            duration_host_seconds REAL NOT NULL,
            PRIMARY KEY (run, step)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE worker_steps (
            run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            rank INTEGER NOT NULL,
            input_host_seconds REAL NOT NULL,
            compute_host_seconds REAL NOT NULL,
            exposed_communication_host_seconds REAL NOT NULL,
            waiting_host_seconds REAL NOT NULL,
            optimizer_host_seconds REAL NOT NULL,
            sent_bytes INTEGER NOT NULL,
            PRIMARY KEY (run, step, rank)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE evaluations (
            run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
            steps_made INTEGER NOT NULL,
            elapsed_host_seconds REAL NOT NULL,
            masked_loss REAL,
            masked_accuracy REAL,
            next_sentence_accuracy REAL,
            baseline_accuracy REAL,
            masked_tokens INTEGER NOT NULL,
            PRIMARY KEY (run, steps_made)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE events (
            number INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
            time REAL NOT NULL,
            kind TEXT NOT NULL,
            message TEXT NOT NULL,
            rank INTEGER,
            step INTEGER
        ) STRICT;
        CREATE INDEX events_by_run ON events (run);
        """

    /// SQLite's integers have a sign: the checksum's bits are kept, not its value.
    private static let examplesOfStep = "ALTER TABLE steps ADD COLUMN examples_checksum INTEGER NOT NULL DEFAULT 0;"

    /// What older records did not measure is NULL, and the lanes of their workers are 0: not known.
    private static let lanesAndNoise = """
        ALTER TABLE steps ADD COLUMN lane_gradient_squared_norm REAL;
        ALTER TABLE worker_steps ADD COLUMN lanes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE evaluations ADD COLUMN gradient_squared_norm REAL;
        ALTER TABLE evaluations ADD COLUMN gradient_covariance_trace REAL;
        """

    /// Not unique: a record that was imported may hold the key of one that is here.
    private static let submissionKeys = """
        ALTER TABLE runs ADD COLUMN submission_key TEXT;
        CREATE INDEX runs_by_submission_key ON runs (submission_key) WHERE submission_key IS NOT NULL;
        """

    /// Older records are of gradients that were sent as f32, which NULL stands for.
    private static let uncompressedBytes = "ALTER TABLE worker_steps ADD COLUMN uncompressed_bytes INTEGER;"

    /// What older records did not count is NULL.
    private static let activationZeros = """
        ALTER TABLE steps ADD COLUMN counted_activations INTEGER;
        ALTER TABLE steps ADD COLUMN zero_activations INTEGER;
        ALTER TABLE steps ADD COLUMN skipped_activations INTEGER;
        """

    /// NULL where no machine was emulated.
    private static let emulatedSteps = """
        ALTER TABLE steps ADD COLUMN duration_emulated_seconds REAL;
        ALTER TABLE steps ADD COLUMN dilation REAL;
        ALTER TABLE steps ADD COLUMN lateness_host_seconds REAL;
        """

    /// Older records hold how long parts took, not when they began.
    private static let partStarts = """
        ALTER TABLE worker_steps ADD COLUMN started_host_seconds REAL;
        ALTER TABLE worker_steps ADD COLUMN compute_start_host_seconds REAL;
        ALTER TABLE worker_steps ADD COLUMN waiting_start_host_seconds REAL;
        ALTER TABLE worker_steps ADD COLUMN exposed_communication_start_host_seconds REAL;
        ALTER TABLE worker_steps ADD COLUMN commit_start_host_seconds REAL;
        ALTER TABLE worker_steps ADD COLUMN optimizer_start_host_seconds REAL;
        """

    /// An index that holds all that a list shows: rows of `runs` are long, and ten thousand of them many pages.
    private static let listedColumns = """
        ALTER TABLE runs ADD COLUMN steps_made INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
        UPDATE runs SET steps_made = coalesce((SELECT max(step) + 1 FROM steps WHERE run = runs.number), 0);
        DROP INDEX runs_by_submission;
        CREATE INDEX runs_listed ON runs (
            submitted, number, id, job_name, backend, workers, hardware, state, failure, started, ended, steps_made, steps_planned,
            training_host_seconds, time_to_target_host_seconds, is_pinned
        );
        """

    /// Older records hold the parts alone; their sum is the best that is known of the whole.
    private static let durationOnWorker = """
        ALTER TABLE worker_steps ADD COLUMN duration_host_seconds REAL NOT NULL DEFAULT 0;
        UPDATE worker_steps SET duration_host_seconds = input_host_seconds + compute_host_seconds
            + exposed_communication_host_seconds + waiting_host_seconds + optimizer_host_seconds;
        """
}
