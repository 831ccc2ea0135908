import { Audit } from "./audit";
import { Endpoints } from "./endpoints";
import { Home } from "./home";
import { Keys } from "./keys";
import { Mailbox } from "./mailbox";
import { Reference } from "./reference";
import { Tests } from "./tests";
import { Users } from "./users";

/** Page is everything beside the canvas. */
export default function Page({ page, rest, query }: { page: string; rest: string; query: URLSearchParams }) {
  switch (page) {
    case "":
      return <Home />;
    case "endpoints":
      return <Endpoints word={query.get("q") ?? ""} />;
    case "reference":
      return <Reference id={rest} />;
    case "tests":
      return <Tests />;
    case "users":
      return <Users id={rest} />;
    case "keys":
      return <Keys />;
    case "audit":
      return <Audit query={query} />;
    case "mailbox":
      return <Mailbox />;
  }
  return (
    <div className="empty">
      <h1>There is no such page</h1>
      <a href="#/">To the first page</a>
    </div>
  );
}
