import { Link } from "@tanstack/react-router";
import { Empty } from "../components/empty.tsx";

/** A URL that leads nowhere. */
export function NotFoundScreen() {
  return (
    <Empty>
      <p>There is nothing at this address.</p>
      <Link to="/" className="text-accent underline">
        All conversations
      </Link>
    </Empty>
  );
}
