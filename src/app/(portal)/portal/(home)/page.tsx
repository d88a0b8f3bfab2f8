import { redirect } from "next/navigation";

/** One's teams are where everything begins. */
export default function HomePage(): never {
  redirect("/portal/teams");
}
