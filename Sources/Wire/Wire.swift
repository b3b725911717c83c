// The target's face grows from here.
