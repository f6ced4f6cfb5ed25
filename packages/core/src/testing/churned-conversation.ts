/** The conversations of a server that starts and ends sandboxes until it is killed, from the first on. */
export function churnedConversation(round: number): string {
  return `c_${String(round).padStart(20, "0")}`;
}
