"""Linear recurrent models: HiPPO memories, and networks whose only recurrence is linear."""
