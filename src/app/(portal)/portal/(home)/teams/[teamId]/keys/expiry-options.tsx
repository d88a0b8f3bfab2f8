/** The spans after which a key may end, as a select offers them. */
export function ExpiryOptions() {
  return (
    <>
      <option value="">Never</option>
      <option value="1d">In a day</option>
      <option value="30d">In 30 days</option>
      <option value="90d">In 90 days</option>
      <option value="365d">In a year</option>
    </>
  );
}
