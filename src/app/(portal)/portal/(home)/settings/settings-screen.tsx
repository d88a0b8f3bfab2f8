"use client";

import { useQuery } from "@tanstack/react-query";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Card, CardHeader } from "#ui/card.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type Group = Outputs["settings"]["get"]["groups"][number];

/** What the operator's configuration makes hold for everybody. It is read here and changed in the file. */
export function SettingsScreen() {
  const settings = useQuery(useTRPC().settings.get.queryOptions());
  return (
    <>
      <PageHeader
        title="Settings"
        description="What holds for every team, as it is in force now. It is changed in config.yaml, where each name stands."
      />
      {settings.data === undefined ? (
        <Card>
          <QueryState query={settings} />
        </Card>
      ) : (
        <>
          <div className="grid items-start gap-5 lg:grid-cols-2">
            {settings.data.groups.map((group) => (
              <SettingsCard key={group.title} group={group} />
            ))}
          </div>
          <Card>
            <CardHeader title="Models" description={`The names that clients use. Sluice ${settings.data.version}`} />
            {settings.data.models.length === 0 ? (
              <p className="px-4 py-4 text-quiet sm:px-5">
                No model yet: add a model_list to config.yaml and start the gateway again.
              </p>
            ) : (
              <Table label="Models" head={["Name", "Answered by"]}>
                {settings.data.models.map((model, index) => (
                  <Row key={index}>
                    <Cell className="font-medium wrap-anywhere">{model.name}</Cell>
                    <Cell className="font-mono text-[0.8125rem] wrap-anywhere text-quiet">{model.upstream}</Cell>
                  </Row>
                ))}
              </Table>
            )}
          </Card>
        </>
      )}
    </>
  );
}

function SettingsCard({ group }: { group: Group }) {
  return (
    <Card>
      <CardHeader title={group.title} />
      <dl className="divide-y">
        {group.settings.map(({ name, title, value }) => (
          <div
            key={name}
            className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-0.5 px-4 py-2.5 sm:px-5"
          >
            <dt className="min-w-0">
              {title}
              <span className="block font-mono text-xs wrap-anywhere text-quiet">{name}</span>
            </dt>
            <dd className="font-medium wrap-anywhere tabular-nums">{toWords(value)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function toWords(value: Group["settings"][number]["value"]): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "object") return value.length === 0 ? "None" : value.join(", ");
  return String(value);
}
