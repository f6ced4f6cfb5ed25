import { Field, INPUT } from "../components/field.tsx";
import { useTeams } from "../state/session-queries.ts";

type TeamSelectProps = {
  readonly label: string;
  readonly hint?: string | undefined;
  /** What it says where no team is chosen. */
  readonly none: string;
  /** Empty for none. */
  readonly team: string;
  readonly onTeam: (team: string) => void;
};

/** One of the user's teams, or none. Not shown to a user without teams. */
export function TeamSelect({ label, hint, none, team, onTeam }: TeamSelectProps) {
  const teams = useTeams();
  if (teams.length === 0) return null;
  return (
    <Field label={label} hint={hint}>
      {(id, hintId) => (
        <select
          id={id}
          aria-describedby={hint === undefined ? undefined : hintId}
          className={INPUT}
          value={team}
          onChange={(event) => onTeam(event.target.value)}
        >
          <option value="">{none}</option>
          {teams.map((one) => (
            <option key={one} value={one}>
              Team {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
