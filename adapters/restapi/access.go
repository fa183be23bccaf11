package restapi

// Who may call. Services are those of the design; "operator" is a person's
// command line and the pages for operators.
const (
	anybody      = "anybody" // also without credentials
	integrations = "integrations"
	deliveries   = "deliveries"
	operator     = "operator"
	simulator    = "simulator"  // people who are simulated, beside simulated robots
	merchants    = "merchants"  // people of a business
	admins       = "admins"     // those of them who look after all of the business
	recipients   = "recipients" // holders of a link
)

// access is the table of who may call which operation, by the operationId of
// the OpenAPI documents. What is not in it nobody may call.
var access = map[string][]string{
	"openapi": {anybody},

	"quote":           {integrations, merchants, simulator},
	"createDelivery":  {integrations, merchants},
	"getDelivery":     {integrations, operator, merchants, recipients, simulator},
	"editDelivery":    {integrations, merchants},
	"acceptDelivery":  {integrations, merchants, simulator},
	"cancelDelivery":  {integrations, operator, merchants, simulator},
	"readyDelivery":   {integrations, merchants, simulator},
	"handoffDelivery": {integrations, merchants, recipients, simulator},
	"cannotCome":      {integrations, recipients},
	"listUpdates":     {integrations, operator, merchants, recipients},
	"watchDelivery":   {operator, merchants, recipients},
	"trackDelivery":   {operator, merchants, recipients},
	"board":           {operator, merchants, simulator},
	"watchBoard":      {operator, merchants, simulator},

	"searchAddresses": {integrations, merchants},
	"locate":          {integrations, merchants},
	"createBusiness":  {integrations},
	"listBusinesses":  {integrations, operator, merchants},
	"getBusiness":     {integrations, operator, merchants},
	"editBusiness":    {integrations},
	"createStore":     {integrations},
	"listStores":      {integrations, operator, merchants},
	"getStore":        {integrations, operator, merchants},
	"editStore":       {integrations, merchants},

	"estimate": {integrations, deliveries, merchants},

	"listWebhooks":        {admins},
	"createWebhook":       {admins},
	"getWebhook":          {admins},
	"editWebhook":         {admins},
	"removeWebhook":       {admins},
	"rotateWebhookSecret": {admins},
	"pingWebhook":         {admins},
	"listWebhookEvents":   {admins},
	"resendWebhookEvent":  {admins},
	"resendWebhookEvents": {admins},

	"requestRobot":  {deliveries},
	"withdraw":      {deliveries},
	"finish":        {deliveries},
	"listDecisions": {deliveries, operator},
}

// allows reports whether c may call an operation.
func allows(operation string, c Caller) bool {
	for _, who := range access[operation] {
		switch {
		case who == anybody:
			return true
		case who == merchants:
			if c.Role == RoleMerchant {
				return true
			}
		case who == admins:
			if c.Role == RoleMerchant && c.Admin && c.Business != "" && c.Store == "" {
				return true
			}
		case who == recipients:
			if c.Role == RoleRecipient {
				return true
			}
		case c.Role == RoleService && (who == c.Name || c.Name == AnyService):
			return true
		}
	}
	return false
}

// isPublic reports whether an operation asks for no credentials.
func isPublic(operation string) bool { return allows(operation, Caller{}) }

// MerchantsMay reports whether people of a business may call an operation, if only its admins, for tests of their pages.
func MerchantsMay(operation string) bool {
	return allows(operation, Caller{Role: RoleMerchant, Partner: "any", Business: "any", Admin: true})
}
