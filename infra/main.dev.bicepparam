// A small environment for trying things out: it makes the systems of record too, and nothing is redundant.
// What it reads from the environment is what production reads, less the names of the products' stores.
using './main.bicep'

param environmentName = 'dev'
param isFirstDeployment = bool(readEnvironmentVariable('FIRST_DEPLOYMENT', 'false'))
param createSystemsOfRecord = true
param cosmosCapacity = 'serverless'
param storageRedundancy = 'Standard_LRS'
param evidenceDays = 1
param logGigabytesPerDay = 1
param alarmEmail = readEnvironmentVariable('ALARM_EMAIL')
param deployerPrincipalId = readEnvironmentVariable('DEPLOYER_PRINCIPAL_ID', '')
param publicUrl = readEnvironmentVariable('PUBLIC_URL', '')
param controllerName = readEnvironmentVariable('CONTROLLER_NAME')
param controllerAddress = readEnvironmentVariable('CONTROLLER_ADDRESS')
param controllerEmail = readEnvironmentVariable('CONTROLLER_EMAIL')
param contactsVerifiedOn = readEnvironmentVariable('CONTACTS_VERIFIED_ON')
param graphMailbox = readEnvironmentVariable('GRAPH_MAILBOX')
param staffClientId = readEnvironmentVariable('STAFF_CLIENT_ID')
param staffCustomers = readEnvironmentVariable('STAFF_CUSTOMERS', '{}')
param systemKeyDigest = readEnvironmentVariable('SYSTEM_KEY_SHA256', '')
param campaignMonitorClientId = readEnvironmentVariable('CAMPAIGN_MONITOR_CLIENT_ID', '')
param campaignMonitorLists = readEnvironmentVariable('CAMPAIGN_MONITOR_LISTS', '[]')
param webhookDigests = readEnvironmentVariable('CAMPAIGN_MONITOR_WEBHOOK_SECRETS_SHA256', '')
param googleAnalyticsPropertyId = readEnvironmentVariable('GOOGLE_ANALYTICS_PROPERTY_ID', '')
param googleAudience = readEnvironmentVariable('GOOGLE_AUDIENCE', '')
param googleServiceAccount = readEnvironmentVariable('GOOGLE_SERVICE_ACCOUNT', '')
param googleAzureResource = readEnvironmentVariable('GOOGLE_AZURE_RESOURCE', '')
param opendsrCertificate = readEnvironmentVariable('OPENDSR_CERTIFICATE', '')
